"""Compares a serving export with the native one: times, and 8 tiles with one.

    python benchmarks/serving.py [--model=saved_models/fdram] [--quality=50] [PHOTO]

Prints CPU seconds of both on a photo, and the wall time of decoding the strings of 8
tiles in one call against that of one tile.
"""

import io
import os
import tempfile
import time
import zlib
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # No start-up noise.

import measure
import numpy as np
import tensorflow as tf
from absl import app, flags
from PIL import Image

from tf_imgcomp.image_codecs import models
from tf_imgcomp.image_files.images import read_image
from tf_imgcomp.serving.export import export

_MODEL = flags.DEFINE_string("model", "fdram", "Id or folder of a learned codec.")
_QUALITY = flags.DEFINE_float("quality", 50.0, "Quality.")
_RUNS = flags.DEFINE_integer("runs", 5, "Runs of each.")
_EXPORT = flags.DEFINE_string("export", None, "Folder of an export made before.")

TILES = 8


def png(pixels: np.ndarray) -> bytes:
    """A PNG file, as bin/decompress writes it."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", compress_type=zlib.Z_RLE)
    return stream.getvalue()


def tile_inputs(codec, pixels: np.ndarray, count: int) -> dict:
    """The inputs of decode_tiles: the first tile of a photo, `count` times."""
    coded = codec.compress(pixels, _QUALITY.value)
    area = codec.tiles(*pixels.shape[:2]).latents.tile(0)
    return {
        "first": tf.constant([coded.first[0]] * count),
        "rest": tf.constant([coded.rest[0]] * count),
        "rows": tf.fill([count], area.height),
        "columns": tf.fill([count], area.width),
        "quality": tf.fill([count], float(coded.quality)),
    }


def main(argv: list[str]) -> None:
    pixels = read_image(argv[1] if len(argv) > 1 else measure.EXAMPLE).pixels
    quality = _QUALITY.value
    codec = models.load(_MODEL.value)
    with tempfile.TemporaryDirectory() as folder:
        exported = _EXPORT.value or export(models.find(_MODEL.value), folder)
        signatures = tf.saved_model.load(str(Path(exported))).signatures
    source, file = png(pixels), codec.encode(pixels, quality)
    print(f"{len(file)} bytes, {8 * len(file) / pixels[..., 0].size:.3f} bpp")
    one, many = (tile_inputs(codec, pixels, count) for count in (1, TILES))
    q = tf.constant([quality])

    def decode_tile():
        y_hat = signatures["decode_tiles"](**one)["y_hat"]
        return signatures["synthesize_tiles"](y_hat=y_hat, quality=q)

    functions = {
        "decode, native": lambda: codec.decode(file),
        "decode, serving": decode_tile,
        "file to PNG, native": lambda: png(codec.decode(file)),
        "file to PNG, serving": lambda: signatures["decompress"](
            files=tf.constant([file])
        ),
        "PNG to file, native": lambda: codec.encode(
            np.asarray(Image.open(io.BytesIO(source))), quality
        ),
        "PNG to file, serving": lambda: signatures["compress"](
            images=tf.constant([source]), quality=q
        ),
    }
    print("\n| CPU seconds | |\n|---|---|")
    times = measure.median_seconds(functions, _RUNS.value, time.process_time)
    for name, seconds in times.items():
        print(f"| {name} | {seconds:.3f} |")
    decode = signatures["decode_tiles"]
    tiles = {"1": lambda: decode(**one), str(TILES): lambda: decode(**many)}
    print("\n| tiles in a call | wall seconds |\n|---|---|")
    for name, seconds in measure.median_seconds(tiles, _RUNS.value).items():
        print(f"| {name} | {seconds:.3f} |")


if __name__ == "__main__":
    app.run(main)
