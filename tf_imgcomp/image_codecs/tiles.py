"""The tiles of an image and their surroundings: which, where, in which order.

Entropy coding of a tile stands alone. Transforms see some surroundings of it, so that
there are no seams: `TileGrid.window`. All is in units of one map, pixels or latents.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tf_imgcomp.regions import Region, tile_count, tile_region

LATENT = 16  # Pixels that a latent stands for, along each side.
STRIDE = 64  # Learned codecs pad images to a multiple of this.
Z_STRIDE = STRIDE // LATENT  # Latents that a latent of z stands for.


class TileGrid(NamedTuple):
    """Tiles of a map, as in `regions`.

    Attributes:
        height, width: of the map.
        side: of a tile; 0: the map is one tile.
    """

    height: int
    width: int
    side: int

    @property
    def num_tiles(self) -> int:
        """Number of tiles."""
        return tile_count(*self)

    @property
    def whole(self) -> Region:
        """All of the map."""
        return Region(0, 0, self.height, self.width)

    def tile(self, number: int) -> Region:
        """Where a tile is."""
        return tile_region(number, *self)

    def window(self, number: int, border: int) -> Region:
        """A tile and `border` positions around, as far as the map reaches."""
        return self.grown(self.tile(number), border)

    def windows(self, region: Region, border: int) -> Region:
        """All windows of the tiles that share positions with a region, together."""
        tiles = self.touched_by(region)
        first, last = self.tile(tiles[0]), self.tile(tiles[-1])
        height = last.top + last.height - first.top
        width = last.left + last.width - first.left
        return self.grown(first._replace(height=height, width=width), border)

    def touched_by(self, region: Region) -> list[int]:
        """The tiles that share positions with a region of the map, in their order."""
        if not self.side:
            return [0]
        rows, columns = (
            range(start // self.side, (start + size - 1) // self.side + 1)
            for start, size in (
                (region.top, region.height),
                (region.left, region.width),
            )
        )
        in_a_row = -(-self.width // self.side)
        return [row * in_a_row + column for row in rows for column in columns]

    def shrunk(self, factor: int) -> TileGrid:
        """The grid of a map `factor` times smaller, sizes rounded up."""
        return TileGrid(
            -(-self.height // factor), -(-self.width // factor), self.side // factor
        )

    def grown(self, region: Region, border: int) -> Region:
        """A region and `border` positions around, as far as the map reaches."""
        top, left = max(0, region.top - border), max(0, region.left - border)
        bottom = min(self.height, region.top + region.height + border)
        right = min(self.width, region.left + region.width + border)
        return Region(top, left, bottom - top, right - left)


class DecodingStep(NamedTuple):
    """One tile to decode, and what can be done after it.

    Attributes:
        tile: the tile whose latents are decoded.
        complete: tiles whose windows are decoded now, to synthesize.
        finished: tiles whose latents no other tile needs any more.
    """

    tile: int
    complete: list[int]
    finished: list[int]


def decoding_steps(grid: TileGrid, windows: dict[int, Region]) -> list[DecodingStep]:
    """Plans the decoding of some tiles so that few latents are kept.

    Tiles are decoded along the shorter side of the map: latents wait for those of the
    next line of tiles.

    Args:
        grid: of the latents.
        windows: for each tile to synthesize, the latents that its synthesis sees.
    """
    needed = {tile: grid.touched_by(window) for tile, window in windows.items()}

    def place(tile: int) -> tuple[int, int]:
        region = grid.tile(tile)
        place = region.top, region.left
        return place if grid.width <= grid.height else place[::-1]

    order = sorted({tile for tiles in needed.values() for tile in tiles}, key=place)
    position = {tile: index for index, tile in enumerate(order)}
    complete: list[list[int]] = [[] for _ in order]
    last_use = [0] * len(order)
    for tile, tiles in needed.items():
        step = max(position[each] for each in tiles)
        complete[step].append(tile)
        for each in tiles:
            last_use[position[each]] = max(last_use[position[each]], step)
    finished: list[list[int]] = [[] for _ in order]
    for tile, step in zip(order, last_use):
        finished[step].append(tile)
    return list(map(DecodingStep, order, complete, finished))


def margins(window: Region, tile: Region) -> np.ndarray:
    """Surroundings in a window, at top, bottom, left and right, int32 `(4,)`."""
    inner = tile.seen_from(window)
    bottom = window.height - inner.top - inner.height
    right = window.width - inner.left - inner.width
    return np.array([inner.top, bottom, inner.left, right], np.int32)


def copy_shared(
    target: np.ndarray, target_region: Region, source: np.ndarray, region: Region
) -> None:
    """Copies the positions that two parts of a map share.

    Args:
        target: `(h, w, ...)`, written to.
        target_region: where it is in the map.
        source: like `target`.
        region: where that is.
    """
    shared = region.shared_with(target_region)
    if shared:
        here, there = shared.seen_from(target_region), shared.seen_from(region)
        target[here.slices] = source[there.slices]


def _longest_windows(length: int, side: int, border: int, count: int) -> list[int]:
    """The largest lengths of a map's windows along one axis, at most `count`."""
    last = -(-length // side) - 1
    # All windows but those at both ends have the same length, so few tell it.
    some = {*range(min(last, count) + 1), *range(max(last - count, 0), last + 1)}
    lengths = (
        min(length, (n + 1) * side + border) - max(0, n * side - border) for n in some
    )
    return sorted(lengths, reverse=True)[:count]


class TilePart(NamedTuple):
    """A part of a tile to synthesize.

    Attributes:
        window: the latents that the synthesis sees.
        crop: surroundings in the window, as of `margins`.
        pixels: where in the image the result is, padding left out.
    """

    window: Region
    crop: np.ndarray
    pixels: Region


class ImageTiles:
    """The tiles of an image for a learned codec, in pixels and in latents.

    Args:
        height, width: of the image, in pixels.
        side: of a tile in pixels, a multiple of 64.
        border: latents around a tile that the synthesis sees. The analysis sees as
            many, rounded up to a multiple of 4.
        reach: latents around a position that its pixels depend on; None: all that the
            synthesis sees.

    Attributes:
        pixels, latents: the two grids. Latents are those of the image padded to
            multiples of 64 pixels at the right and at the bottom.
    """

    def __init__(
        self,
        height: int,
        width: int,
        side: int,
        border: int,
        reach: int | None = None,
    ):
        self.pixels = TileGrid(height, width, side)
        rows, columns = (-(-size // STRIDE) * Z_STRIDE for size in (height, width))
        self.latents = TileGrid(rows, columns, side // LATENT)
        self.border, self._reach = border, reach

    def analysis_window(self, tile: int) -> tuple[Region, np.ndarray]:
        """The pixels that the analysis sees; its surroundings in latents."""
        border = -(-self.border // Z_STRIDE) * Z_STRIDE
        window = self.latents.window(tile, border)
        pixels = self.pixels.window(tile, border * LATENT)
        return pixels, margins(window, self.latents.tile(tile))

    def synthesis_window(self, tile: int) -> tuple[Region, np.ndarray]:
        """The latents that the synthesis sees; its surroundings in latents."""
        window = self.latents.window(tile, self.border)
        return window, margins(window, self.latents.tile(tile))

    def part(self, tile: int, region: Region) -> TilePart:
        """The part of a tile that a region of pixels needs, in whole latents.

        The synthesis sees as much of the tile's window as the part depends on.
        """
        top, left = region.top // LATENT, region.left // LATENT
        bottom = -(-(region.top + region.height) // LATENT)
        right = -(-(region.left + region.width) // LATENT)
        wanted = Region(top, left, bottom - top, right - left)
        inner = self.latents.tile(tile).shared_with(wanted)
        window, _ = self.synthesis_window(tile)
        assert inner is not None, "The tile and the region share no pixels."
        if self._reach is not None:
            near = self._aligned(self.latents.grown(inner, self._reach))
            window = near.shared_with(window) or window
        pixels = Region(*(LATENT * number for number in inner))
        shown = pixels.shared_with(self.pixels.whole)
        assert shown is not None, "Latents begin inside of the image."
        return TilePart(window, margins(window, inner), shown)

    def pixels_at_once(self, threads: int) -> int:
        """Pixels, padded and with surroundings, of the largest tiles, one a thread."""
        height, width, side = self.latents
        rows, columns = (
            _longest_windows(length, side or length, self.border, threads)
            for length in (height, width)
        )
        areas = sorted((r * c for r in rows for c in columns), reverse=True)
        return LATENT**2 * sum(areas[:threads])

    def _aligned(self, region: Region) -> Region:
        """Grows a region to multiples of the border.

        A layer that pools over windows of this size then has those of the whole map.
        """
        step = max(self.border, 1)
        top, left = region.top // step * step, region.left // step * step
        bottom = -(-(region.top + region.height) // step) * step
        right = -(-(region.left + region.width) // step) * step
        return Region(top, left, bottom - top, right - left)

    def parts(self, region: Region) -> dict[int, TilePart]:
        """The parts of tiles that a region of pixels takes, by tile."""
        return {
            tile: self.part(tile, region) for tile in self.pixels.touched_by(region)
        }

    def decoding_steps(self, parts: dict[int, TilePart]) -> list[DecodingStep]:
        """The steps that decode these parts."""
        windows = {tile: part.window for tile, part in parts.items()}
        return decoding_steps(self.latents, windows)
