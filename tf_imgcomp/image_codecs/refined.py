"""A learned codec whose encoder refines the latents of each tile: the slow mode.

    pixels ──► codec ──► y, z ──► iterations ──► y_hat, z_hat ──► strings

Files and decoder are the codec's. Each iteration quantizes y by rate-distortion cost,
then moves y towards these integers minus a gradient step (majorize, minimize). The
gradient is that of the distortion and of the bits of other latents. Plain gradient
steps on y through rounding fail: most latents are zeros, and such steps move all alike.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tf_imgcomp.codecs.refinement_config import RefinementConfig
from tf_imgcomp.image_codecs.interface import Coded, ImageCodec
from tf_imgcomp.image_codecs.tile_coding import joined
from tf_imgcomp.image_codecs.tiles import Z_STRIDE, ImageTiles
from tf_imgcomp.image_codecs.workers import Workers
from tf_imgcomp.model_folder import memory_errors
from tf_imgcomp.regions import Region
from tf_imgcomp.size_limits import size_of_picture

if TYPE_CHECKING:
    from tf_imgcomp.image_codecs.learned import LearnedCodec

# Peak memory by benchmarks/memory.py: of the first tile, whatever its size, and of the
# pixels of a tile with its surroundings. Those of fdram; cheng2020 takes half of them.
BASE = 490e6
BYTES_PER_PIXEL = 1250.0


class Integers(NamedTuple):
    """A candidate: its estimated cost in bits, y_hat and z_hat, float32."""

    cost: float
    y_hat: np.ndarray
    z_hat: np.ndarray


class RefinedCodec(ImageCodec):
    """See `ImageCodec`.

    Args:
        codec: the codec.
        refinement: the functions of `export.refinement_objective.RefinementModule`.
        trained: float16 `(n,)`, the weights that they take.
        iterations: int, for each tile.
        progress: wraps the tiles of an image; the iterations, if it is one tile.

    Raises:
        ModelError: If the codec's card has other settings than `RefinementConfig`.
    """

    def __init__(
        self,
        codec: LearnedCodec,
        refinement: Any,
        trained: np.ndarray,
        iterations: int,
        progress: Callable[[Iterable], Iterable] = iter,
    ):
        self._codec, self._refinement, self._trained = codec, refinement, trained
        self._iterations, self._progress = iterations, progress
        self._config = RefinementConfig.from_card(codec.card)
        self.id, self.card, self.fingerprint = codec.id, codec.card, codec.fingerprint
        self.tile = codec.tile

    @property
    def version(self) -> str:
        """See `ImageCodec`: tells the iterations, too."""
        return f"{self._codec.version}, {self._iterations} iterations"

    def memory_to_compress(self, height: int, width: int) -> float:
        """See `ImageCodec`: that of the refinement of one tile is the largest."""
        at_once = self._codec.tiles(height, width).pixels_at_once(threads=1)
        working = BASE + BYTES_PER_PIXEL * at_once
        return size_of_picture(height, width) + working

    def memory_to_decompress(self, height: int, width: int) -> float:
        """See `ImageCodec`: that of the codec."""
        return self._codec.memory_to_decompress(height, width)

    def compress(self, pixels: np.ndarray, quality: float) -> Coded:
        """See `ImageCodec`.

        Tiles are refined one by one, for their memory. A refined tile is taken if it is
        not larger than the codec's own and if its cost is lower: real bits, and the
        distortion weight times the distortion of the decoded pixels.
        """
        tiles = self._codec.tiles(*pixels.shape[:2])
        work = functools.partial(self._compress_tile, pixels, tiles, quality)
        workers = Workers(1, self._progress)
        with memory_errors():
            return joined(workers.map(work, range(tiles.pixels.num_tiles)))

    def decompress(
        self, coded: Coded, height: int, width: int, region: Region | None = None
    ) -> np.ndarray:
        """See `ImageCodec`."""
        return self._codec.decompress(coded, height, width, region)

    def preview(self, coded: Coded, height: int, width: int, scale: int) -> np.ndarray:
        """See `ImageCodec`."""
        return self._codec.preview(coded, height, width, scale)

    def for_trials(self) -> ImageCodec:
        """See `ImageCodec`."""
        return self._codec

    def without_refinement(self) -> ImageCodec:
        """See `ImageCodec`."""
        return self._codec

    def with_effort(
        self, effort: int, progress: Callable[[Iterable], Iterable] = iter
    ) -> ImageCodec:
        """See `ImageCodec`."""
        return self._codec.with_effort(effort, progress)

    def importance(self, pixels: np.ndarray, quality: float) -> np.ndarray | None:
        """See `ImageCodec`."""
        return self._codec.importance(pixels, quality)

    def latents(self, coded: Coded, height: int, width: int) -> np.ndarray | None:
        """See `ImageCodec`."""
        return self._codec.latents(coded, height, width)

    def _compress_tile(
        self, pixels: np.ndarray, tiles: ImageTiles, quality: float, number: int
    ) -> Coded:
        """The better one of the codec's tile and the refined one.

        The surroundings are refined with the tile, and then left out: each of the
        neighbours refines its own latents, to much the same integers.
        """
        model, tile = self._codec.model, tiles.pixels.tile(number)
        window, crop = tiles.analysis_window(number)
        seen = pixels[window.slices]
        plain = model.compress(seen, crop, quality)
        latents = model.analysis(seen, np.zeros_like(crop), plain.quality)
        y, z = latents["y"], latents["z"]
        hundredths = np.int64(round(100 * plain.quality))
        weights = self._refinement.weights(
            trained=self._trained, image=seen, y=y, quality=hundredths
        )
        progress = iter if tiles.pixels.num_tiles > 1 else self._progress
        best = self._refine(seen, y, z, hundredths, weights, progress)
        refined = model.encode(
            _cropped(best.y_hat, crop),
            _cropped(best.z_hat, crop // Z_STRIDE),
            plain.quality,
        )
        if _size(refined) > _size(plain):
            return plain
        lmbda, original = float(weights["lmbda"]), pixels[tile.slices]
        costs = [
            self._cost(original, each, np.floor(y[0] + 0.5), crop, lmbda)
            for each in (plain, refined)
        ]
        return refined if costs[1] < costs[0] else plain

    def _refine(
        self,
        pixels: np.ndarray,
        y: np.ndarray,
        z: np.ndarray,
        quality: np.int64,
        weights: dict[str, Any],
        progress: Callable[[Iterable], Iterable],
    ) -> Integers:
        """The best integers of all iterations."""
        config, bits_per_error = self._config, weights["bits_per_error"].numpy()
        best: Integers | None = None
        velocity, adam = np.zeros_like(y), _Adam(z, config)
        for iteration in progress(range(self._iterations + 1)):
            now = self._refinement.objective(
                trained=self._trained,
                image=pixels,
                y=y,
                z=z,
                quality=quality,
                bits_per_error=bits_per_error,
                uses_optional=weights["uses_optional"],
            )
            now = {name: value.numpy() for name, value in now.items()}
            if best is None or now["cost"] < best.cost:
                best = Integers(now["cost"], now["y_hat"], now["z_hat"])
            decay = 1 - (1 - config.last_step) * iteration / self._iterations
            step = now["y_gradient"] / (2 * bits_per_error)
            velocity = config.momentum * velocity + (y - now["y_hat"] + step)
            y = y - config.step * decay * velocity
            z = z - config.z_step * decay * adam(now["z_gradient"])
        assert best is not None
        return best

    def _cost(
        self,
        pixels: np.ndarray,
        coded: Coded,
        around: np.ndarray,
        crop: np.ndarray,
        lmbda: float,
    ) -> float:
        """Bits of a tile plus the distortion of its decoded pixels, in bits.

        Args:
            pixels: the original tile.
            coded: the tile.
            around: integers, latents of tile and surroundings.
            crop: latents to cut at top, bottom, left and right.
            lmbda: the distortion weight.
        """
        model, (height, width, _) = self._codec.model, pixels.shape
        y_hat = around.copy()
        inner = _cropped(y_hat[None], crop)[0]
        (first,), (rest,) = coded.first, coded.rest or ()
        rows, columns, _ = inner.shape
        inner[:] = model.decode(first, rest, rows, columns, coded.quality)
        decoded = model.synthesis(y_hat, crop, coded.quality)[:height, :width]
        found = self._refinement.distortion(image=pixels, decoded=decoded)
        return 8 * _size(coded) + lmbda * height * width * float(found["distortion"])


class _Adam:
    """Directions of descent (Kingma and Ba 2015) for an array like the one given."""

    def __init__(self, like: np.ndarray, config: RefinementConfig):
        self._decays = config.z_mean_decay, config.z_square_decay
        self._mean, self._square = np.zeros_like(like), np.zeros_like(like)
        self._count = 0

    def __call__(self, gradient: np.ndarray) -> np.ndarray:
        self._count += 1
        first, second = self._decays
        self._mean = first * self._mean + (1 - first) * gradient
        self._square = second * self._square + (1 - second) * gradient * gradient
        mean = self._mean / (1 - first**self._count)
        return mean / (np.sqrt(self._square / (1 - second**self._count)) + 1e-8)


def _cropped(latents: np.ndarray, crop: np.ndarray) -> np.ndarray:
    """A map `(1, h, w, c)` without rows and columns at its four edges."""
    top, bottom, left, right = crop
    height, width = latents.shape[1:3]
    return latents[:, top : height - bottom, left : width - right]


def _size(coded: Coded) -> int:
    return sum(len(part) for part in coded.first + (coded.rest or ()))
