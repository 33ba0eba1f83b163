"""A learned codec, which codes an image tile by tile: here or on a server."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future

import numpy as np

from tf_imgcomp.errors import BitstreamError
from tf_imgcomp.image_codecs.effort import iterations
from tf_imgcomp.image_codecs.interface import Coded, ImageCodec
from tf_imgcomp.image_codecs.refined import RefinedCodec
from tf_imgcomp.image_codecs.tile_coding import joined
from tf_imgcomp.image_codecs.tile_interface import TileCoder
from tf_imgcomp.image_codecs.tiles import (
    ImageTiles,
    TileGrid,
    TilePart,
    copy_shared,
)
from tf_imgcomp.image_codecs.workers import Workers
from tf_imgcomp.regions import Region
from tf_imgcomp.size_limits import size_of_picture


class LearnedCodec(ImageCodec):
    """See `ImageCodec`.

    Args:
        model: codes one tile.
        workers: run the tiles.

    Attributes:
        model: the same.
    """

    def __init__(self, model: TileCoder, workers: Workers):
        self.model, self._workers = model, workers
        self.id, self.card, self.fingerprint = model.id, model.card, model.fingerprint
        self.tile = model.tile

    def memory_to_compress(self, height: int, width: int) -> float:
        """See `ImageCodec`: that of the picture, and of the tiles in work."""
        return self.model.encoder_base + self._memory_of_tiles(height, width)

    def memory_to_decompress(self, height: int, width: int) -> float:
        """See `ImageCodec`: as `memory_to_compress`."""
        return self.model.decoder_base + self._memory_of_tiles(height, width)

    def compress(self, pixels: np.ndarray, quality: float) -> Coded:
        """See `ImageCodec`.

        Raises:
            ValueError: If dtype, shape or quality are wrong.
        """
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
            raise ValueError(
                "Expected pixels uint8 (h, w, 3), received "
                f"{pixels.dtype} {pixels.shape}."
            )
        if not 1 <= quality <= 100:
            raise ValueError(f"Expected a quality from 1 to 100, received {quality}.")
        tiles = self.tiles(*pixels.shape[:2])

        def compress(tile: int) -> Coded:
            window, crop = tiles.analysis_window(tile)
            return self.model.compress(pixels[window.slices], crop, quality)

        return joined(self._workers.map(compress, range(tiles.pixels.num_tiles)))

    def decompress(
        self, coded: Coded, height: int, width: int, region: Region | None = None
    ) -> np.ndarray:
        """See `ImageCodec`."""
        tiles = self.tiles(height, width)
        region = region or tiles.pixels.whole
        pixels = np.empty((region.height, region.width, 3), np.uint8)
        parts = tiles.parts(region)

        def synthesize(part: TilePart, y_hat: dict[int, Future]) -> None:
            decoded = {tile: latents.result() for tile, latents in y_hat.items()}
            seen = _cut(decoded, part.window, tiles.latents)
            image = self.model.synthesis(seen, part.crop, coded.quality)
            copy_shared(pixels, region, image, part.pixels)

        y_hat: dict[int, Future] = {}
        decode = self._decoder(coded, tiles)
        with self._workers.started() as jobs:
            for step in self._workers.progress(tiles.decoding_steps(parts)):
                y_hat[step.tile] = jobs.submit(decode, step.tile)
                for tile in step.complete:
                    seen = tiles.latents.touched_by(parts[tile].window)
                    jobs.submit(
                        synthesize, parts[tile], {each: y_hat[each] for each in seen}
                    )
                for tile in step.finished:
                    del y_hat[tile]
        return pixels

    def preview(self, coded: Coded, height: int, width: int, scale: int) -> np.ndarray:
        """See `ImageCodec`."""
        tiles, model = self.tiles(height, width), self.model
        _check_tiles(coded.first, tiles)

        def decode(tile: int) -> np.ndarray:
            area = tiles.latents.tile(tile)
            y_hat = model.decode_first(
                coded.first[tile], area.height, area.width, coded.quality
            )
            return _waiting(y_hat, tiles)

        numbers = range(tiles.pixels.num_tiles)
        y_hat = _assembled(self._workers.map(decode, numbers), tiles)
        small = tiles.pixels.shrunk(scale)
        pixels = np.empty((small.height, small.width, 3), np.uint8)

        def make_small(tile: int) -> None:
            window, crop = tiles.synthesis_window(tile)
            image = model.preview(y_hat[window.slices], crop, coded.quality, scale)
            area = small.tile(tile)
            pixels[area.slices] = image[: area.height, : area.width]

        self._workers.map(make_small, numbers)
        return pixels

    def latents(self, coded: Coded, height: int, width: int) -> np.ndarray:
        """See `ImageCodec`."""
        tiles = self.tiles(height, width)
        decoded = self._workers.map(
            self._decoder(coded, tiles), range(tiles.pixels.num_tiles)
        )
        return _assembled(decoded, tiles)[None].astype(np.float32)

    def importance(self, pixels: np.ndarray, quality: float) -> np.ndarray | None:
        """See `ImageCodec`."""
        if not self.model.has_importance:
            return None
        tiles = self.tiles(*pixels.shape[:2])

        def importance(tile: int) -> np.ndarray:
            window, crop = tiles.analysis_window(tile)
            latents = self.model.analysis(pixels[window.slices], crop, quality)
            return latents["importance"]

        return _assembled(
            self._workers.map(importance, range(tiles.pixels.num_tiles)), tiles
        )

    def with_effort(
        self, effort: int, progress: Callable[[Iterable], Iterable] = iter
    ) -> ImageCodec:
        """See `ImageCodec`.

        Raises:
            ModelError: If the model lacks the refinement, or it is damaged.
        """
        count = iterations(effort)
        if not count:
            return self
        refinement, trained = self.model.refinement()
        return RefinedCodec(self, refinement, trained, count, progress)

    def tiles(self, height: int, width: int) -> ImageTiles:
        """The tiles of an image."""
        model = self.model
        return ImageTiles(height, width, self.tile, model.border, model.reach)

    def _memory_of_tiles(self, height: int, width: int) -> float:
        at_once = self.tiles(height, width).pixels_at_once(self._workers.threads)
        return size_of_picture(height, width) + self.model.bytes_per_pixel * at_once

    def _decoder(self, coded: Coded, tiles: ImageTiles) -> Callable[[int], np.ndarray]:
        """Checks a coded image. Returns the function from a tile to its latents."""
        rest = coded.rest
        if rest is None:
            raise BitstreamError("the second part is missing")
        if coded.variant:
            raise BitstreamError(f"expected variant 0, received {coded.variant}")
        _check_tiles(coded.first, tiles)
        _check_tiles(rest, tiles)

        def decode(tile: int) -> np.ndarray:
            area = tiles.latents.tile(tile)
            y_hat = self.model.decode(
                coded.first[tile], rest[tile], area.height, area.width, coded.quality
            )
            return _waiting(y_hat, tiles)

        return decode


def _check_tiles(part: tuple[bytes, ...], tiles: ImageTiles) -> None:
    count = tiles.pixels.num_tiles
    if len(part) != count:
        raise BitstreamError(f"expected {count} tiles, received {len(part)}")


def _waiting(y_hat: np.ndarray, tiles: ImageTiles) -> np.ndarray:
    """Latents of a tile as they wait for those of other tiles, if there are any.

    Integers in the smallest of int8, int16 and float32 that holds them: a quarter, half
    or all of the bytes of float32.
    """
    if tiles.pixels.num_tiles == 1:
        return y_hat
    low, high = y_hat.min(), y_hat.max()
    for dtype in (np.int8, np.int16):
        if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
            return y_hat.astype(dtype)
    return y_hat


def _cut(decoded: dict[int, np.ndarray], window: Region, grid: TileGrid) -> np.ndarray:
    """The latents in a window, from those of all tiles that it touches."""
    if len(decoded) == 1:
        ((tile, latents),) = decoded.items()
        return latents[window.seen_from(grid.tile(tile)).slices]
    depth = next(iter(decoded.values())).shape[-1]
    seen = np.empty((window.height, window.width, depth), np.float32)
    for tile, latents in decoded.items():
        copy_shared(seen, window, latents, grid.tile(tile))
    return seen


def _assembled(parts: list[np.ndarray], tiles: ImageTiles) -> np.ndarray:
    """A map of latents from those of each tile."""
    grid, dtype = tiles.latents, np.result_type(*parts)
    whole = np.empty((grid.height, grid.width, *parts[0].shape[2:]), dtype)
    for number, part in enumerate(parts):
        copy_shared(whole, grid.whole, part, grid.tile(number))
    return whole
