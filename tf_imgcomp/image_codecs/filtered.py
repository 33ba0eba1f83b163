"""A codec and a filter after it, as one codec.

    pixels ──► codec ──► bytes ──► codec ──► filter, if that helps ──► pixels

The encoder decodes and filters as the decoder will, and keeps the best result. The
variant in a file tells it: 0 no filter, 1 the filter, 2 its mean over rotations, 3 its
mean over rotations and mirror images.

The filter works in tiles on absolute coordinates, whatever those of the codec are. A
tile is filtered with the surroundings that convolutions reach, so only the channel
attention sees a difference: it pools over a tile with its surroundings instead of the
whole image. An image no larger than a tile is filtered whole.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from tf_imgcomp.errors import BitstreamError
from tf_imgcomp.image_codecs.interface import Coded, ImageCodec
from tf_imgcomp.image_codecs.tile_interface import TileFilter
from tf_imgcomp.image_codecs.tiles import TileGrid, copy_shared
from tf_imgcomp.image_codecs.workers import Workers
from tf_imgcomp.metrics import mse
from tf_imgcomp.postfilter.ensembles import ENSEMBLES
from tf_imgcomp.regions import Region
from tf_imgcomp.size_limits import size_of_picture


class FilteredCodec(ImageCodec):
    """See `ImageCodec`.

    Args:
        codec: the codec before the filter.
        postfilter: trained for this codec.
        workers: run the tiles.
        tried: keys of `ENSEMBLES`: the ensembles that the encoder tries. If empty, it
            does not filter.
    """

    def __init__(
        self,
        codec: ImageCodec,
        postfilter: TileFilter,
        workers: Workers,
        tried: Sequence[str] = ("none",),
    ):
        self._codec, self._filter, self._workers = codec, postfilter, workers
        self.id, self.card = postfilter.id, postfilter.card
        self.fingerprint = codec.fingerprint ^ postfilter.fingerprint
        self.tile, self._tried = codec.tile, tuple(tried)

    @property
    def version(self) -> str:
        """See `ImageCodec`: that of the codec, the filter, and what is tried."""
        tried = ", ".join(self._tried) or "nothing"
        filter_ = f"filter of fingerprint {self._filter.fingerprint}"
        return f"{self._codec.version}, {filter_}, tried: {tried}"

    def memory_to_compress(self, height: int, width: int) -> float:
        """See `ImageCodec`: codec and filter work one after the other."""
        filtering = self._filter.encoder_base + self._memory_of_tiles(height, width)
        return max(self._codec.memory_to_compress(height, width), filtering)

    def memory_to_decompress(self, height: int, width: int) -> float:
        """See `ImageCodec`: as `memory_to_compress`."""
        filtering = self._filter.decoder_base + self._memory_of_tiles(height, width)
        return max(self._codec.memory_to_decompress(height, width), filtering)

    def setting(self, quality: float) -> float:
        """See `ImageCodec`: that of the codec."""
        return self._codec.setting(quality)

    def for_trials(self) -> ImageCodec:
        """See `ImageCodec`: without filtering."""
        return self._with(self._codec.for_trials(), ())

    def without_refinement(self) -> ImageCodec:
        """See `ImageCodec`."""
        codec = self._codec.without_refinement()
        if codec is self._codec:
            return self
        return self._with(codec, self._tried)

    def with_effort(
        self, effort: int, progress: Callable[[Iterable], Iterable] = iter
    ) -> ImageCodec:
        """See `ImageCodec`: the codec's; the filter does not change the refinement."""
        codec = self._codec.with_effort(effort, progress)
        return self._with(codec, self._tried)

    def with_ensemble(self, ensemble: str) -> ImageCodec:
        """See `ImageCodec`."""
        tried = dict.fromkeys(("none", ensemble))
        return self._with(self._codec, tuple(tried))

    def compress(self, pixels: np.ndarray, quality: float) -> Coded:
        """See `ImageCodec`."""
        coded = self._codec.compress(pixels, quality)
        if not self._tried:  # A trial: as long as a file whose image is filtered.
            return dataclasses.replace(coded, variant=1)
        height, width, _ = pixels.shape
        decoded = self._codec.decompress(coded, height, width)
        variant = self._best_variant(pixels, decoded, coded.quality)
        return dataclasses.replace(coded, variant=variant)

    def decompress(
        self, coded: Coded, height: int, width: int, region: Region | None = None
    ) -> np.ndarray:
        """See `ImageCodec`."""
        variant, coded = coded.variant, dataclasses.replace(coded, variant=0)
        if variant > len(ENSEMBLES):
            raise BitstreamError(
                f"expected a variant of 0 to {len(ENSEMBLES)}, received {variant}"
            )
        if not variant:
            return self._codec.decompress(coded, height, width, region)
        ensemble = list(ENSEMBLES)[variant - 1]
        grid = TileGrid(height, width, self._filter.tile)
        region = region or grid.whole
        seen = grid.windows(region, self._filter.border)
        decoded = self._codec.decompress(coded, height, width, seen)
        pixels = np.empty((region.height, region.width, 3), np.uint8)

        def filter_(tile: int) -> None:
            filtered = self._filtered(
                decoded, seen, grid, tile, ensemble, coded.quality
            )
            copy_shared(pixels, region, filtered, grid.tile(tile))

        self._workers.map(filter_, grid.touched_by(region))
        return pixels

    def preview(self, coded: Coded, height: int, width: int, scale: int) -> np.ndarray:
        """See `ImageCodec`: the codec's, without the filter."""
        coded = dataclasses.replace(coded, variant=0)
        return self._codec.preview(coded, height, width, scale)

    def importance(self, pixels: np.ndarray, quality: float) -> np.ndarray | None:
        """See `ImageCodec`: that of the codec."""
        return self._codec.importance(pixels, quality)

    def latents(self, coded: Coded, height: int, width: int) -> np.ndarray | None:
        """See `ImageCodec`: that of the codec."""
        coded = dataclasses.replace(coded, variant=0)
        return self._codec.latents(coded, height, width)

    def _memory_of_tiles(self, height: int, width: int) -> float:
        side = self._filter.tile + 2 * self._filter.border
        at_once = min(height * width, self._workers.threads * side**2)
        return size_of_picture(height, width) + self._filter.bytes_per_pixel * at_once

    def _best_variant(
        self, pixels: np.ndarray, decoded: np.ndarray, quality: float
    ) -> int:
        """The variant with the smallest squared error; of equal ones, the first."""
        height, width, _ = pixels.shape
        grid = TileGrid(height, width, self._filter.tile)

        def errors(tile: int) -> list[float]:
            area = grid.tile(tile).slices
            results = [decoded[area]]
            for ensemble in self._tried:
                results.append(
                    self._filtered(decoded, grid.whole, grid, tile, ensemble, quality)
                )
            return [pixels[area].size * mse(pixels[area], each) for each in results]

        total = np.sum(self._workers.map(errors, range(grid.num_tiles)), axis=0)
        best = int(np.argmin(total))
        return 1 + list(ENSEMBLES).index(self._tried[best - 1]) if best else 0

    def _filtered(
        self,
        decoded: np.ndarray,
        region: Region,
        grid: TileGrid,
        tile: int,
        ensemble: str,
        quality: float,
    ) -> np.ndarray:
        """The filtered pixels of a tile; `decoded` is this region of the image."""
        window = grid.window(tile, self._filter.border)
        seen = decoded[window.seen_from(region).slices]
        filtered = self._filter(seen, self._codec.setting(quality), ensemble)
        return filtered[grid.tile(tile).seen_from(window).slices]

    def _with(self, codec: ImageCodec, tried: Sequence[str]) -> FilteredCodec:
        return FilteredCodec(codec, self._filter, self._workers, tried)
