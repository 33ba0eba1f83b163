"""Measures how many latents around a tile its transforms have to see.

    python benchmarks/border.py --weights=saved_models/fdram PHOTO..
    python benchmarks/border.py --codec=mfca_pmcn --borders=16 --weights=W.npz PHOTO..

Compares a photo that is coded in tiles with one that is coded whole, for several
borders: the largest difference of a decoded pixel before and after rounding, the
difference in PSNR, and how many latents the analysis rounds to other integers. The
border of `codecs.base.Codec` was chosen by it (docs/exactness.md).
"""

import json
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # No start-up noise.

import numpy as np
import tensorflow as tf
from absl import app, flags

from tf_imgcomp.codecs.registry import new_codec
from tf_imgcomp.image_codecs.tiles import LATENT, ImageTiles, copy_shared
from tf_imgcomp.image_files.images import read_image
from tf_imgcomp.metrics import psnr
from tf_imgcomp.runs.keras_models import start_from

_CODEC = flags.DEFINE_string("codec", "fdram", "Name of the codec.")
_SIZES = flags.DEFINE_string("sizes", "{}", "Sizes that differ from the codec's, JSON.")
_WEIGHTS = flags.DEFINE_string("weights", None, "Of the codec.", required=True)
_BORDERS = flags.DEFINE_list("borders", ["2", "4", "6", "8"], "Borders in latents.")
_QUALITIES = flags.DEFINE_list("qualities", ["5", "80"], "Qualities.")
_TILE = flags.DEFINE_integer("tile", 1024, "Side of the tiles in pixels.")


def synthesis_in_tiles(synthesis, y_hat: np.ndarray, tiles: ImageTiles) -> np.ndarray:
    """The image of latents `(r, c, depth)`, float32, not rounded."""
    image = np.empty((tiles.pixels.height, tiles.pixels.width, 3), np.float32)
    for number in range(tiles.pixels.num_tiles):
        window, crop = tiles.synthesis_window(number)
        tile = tiles.pixels.tile(number)
        top, _, left, _ = LATENT * crop
        x_hat = synthesis(y_hat[window.slices][None])[top:, left:]
        x_hat = x_hat[: tile.height, : tile.width]
        copy_shared(image, tiles.pixels.whole, x_hat, tile)
    return image


def analysis_in_tiles(analysis, pixels: np.ndarray, tiles: ImageTiles) -> np.ndarray:
    """The latents of an image, `(r, c, depth)`, not rounded."""
    parts = []
    for number in range(tiles.pixels.num_tiles):
        window, crop = tiles.analysis_window(number)
        y = analysis(pixels[window.slices][None])
        top, bottom, left, right = crop
        parts.append(y[top : len(y) - bottom, left : y.shape[1] - right])
    grid = tiles.latents
    latents = np.empty((grid.height, grid.width, parts[0].shape[-1]), np.float32)
    for number, part in enumerate(parts):
        copy_shared(latents, grid.whole, part, grid.tile(number))
    return latents


def to_eight_bits(x_hat: np.ndarray) -> np.ndarray:
    return np.clip(np.floor(x_hat + 0.5), 0, 255).astype(np.uint8)


def measure(codec, pixels: np.ndarray, quality: float, borders: list[int]) -> None:
    """Prints a line for each border."""
    quality = tf.constant([quality])
    height, width, _ = pixels.shape

    @tf.function(reduce_retracing=True)
    def analyze(images):
        return codec.analysis_and_importance(images, quality)[0][0]

    @tf.function(reduce_retracing=True)
    def synthesize(y_hat):
        return codec.synthesis(y_hat, quality)[0]

    analysis = lambda images: analyze(images).numpy()  # noqa: E731
    synthesis = lambda y_hat: synthesize(y_hat).numpy()  # noqa: E731
    y = analysis(pixels[None])
    y_hat = np.floor(y + 0.5)
    whole = synthesis(y_hat[None])[:height, :width]
    reference = to_eight_bits(whole)
    for border in borders:
        tiles = ImageTiles(height, width, _TILE.value, border)
        x_hat = synthesis_in_tiles(synthesis, y_hat, tiles)
        image = to_eight_bits(x_hat)
        others = np.floor(analysis_in_tiles(analysis, pixels, tiles) + 0.5) != y_hat
        print(
            f"quality {float(quality):g}, border {border}: differences of up to "
            f"{np.abs(x_hat - whole).max():.4f}, rounded "
            f"{np.abs(image.astype(int) - reference).max()}, PSNR "
            f"{psnr(pixels, image) - psnr(pixels, reference):+.6f} dB; "
            f"{np.count_nonzero(others)} of {others.size} other integers",
            flush=True,
        )


def main(argv: list[str]) -> None:
    codec = new_codec(_CODEC.value, json.loads(_SIZES.value))
    start_from(_WEIGHTS.value, codec)
    for photo in argv[1:]:
        print(photo)
        pixels = read_image(photo).pixels
        for quality in map(float, _QUALITIES.value):
            measure(codec, pixels, quality, list(map(int, _BORDERS.value)))


if __name__ == "__main__":
    app.run(main)
