"""Geometry of tiles: what surrounds them, and the order of decoding."""

import numpy as np
import pytest

from tf_imgcomp.image_codecs.tiles import (
    ImageTiles,
    TileGrid,
    copy_shared,
    decoding_steps,
    margins,
)
from tf_imgcomp.regions import Region

SIZES = [(1, 1), (64, 64), (65, 63), (1, 300), (300, 1), (129, 257)]


@pytest.mark.parametrize("size", SIZES)
def test_tiles_cover_every_position_once(size):
    grid = TileGrid(*size, 64)
    count = np.zeros(size, int)
    for number in range(grid.num_tiles):
        count[grid.tile(number).slices] += 1
    assert (count == 1).all()


@pytest.mark.parametrize("size", SIZES)
def test_windows_end_with_the_map(size):
    grid, numbers = TileGrid(*size, 64), np.arange(np.prod(size)).reshape(size)
    for number in range(grid.num_tiles):
        tile, window = grid.tile(number), grid.window(number, 5)
        top, bottom, left, right = margins(window, tile)
        seen = numbers[window.slices]
        inner = seen[top : len(seen) - bottom, left : seen.shape[1] - right]
        np.testing.assert_array_equal(inner, numbers[tile.slices])
        assert top == min(5, tile.top)
        assert bottom == min(5, size[0] - tile.top - tile.height)
        assert left == min(5, tile.left)
        assert right == min(5, size[1] - tile.left - tile.width)


def test_tiles_touched_are_those_that_share_positions():
    grid = TileGrid(129, 257, 64)
    for region in (Region(0, 0, 1, 1), Region(63, 64, 2, 64), Region(10, 200, 119, 57)):
        expected = [n for n in range(15) if grid.tile(n).shared_with(region)]
        assert grid.touched_by(region) == expected
    assert TileGrid(129, 257, 0).touched_by(Region(5, 5, 1, 1)) == [0]


def test_windows_of_a_region_are_seen_together():
    grid = TileGrid(300, 300, 64)
    assert grid.windows(Region(64, 130, 64, 1), 5) == Region(59, 123, 74, 74)
    assert grid.windows(Region(10, 10, 60, 60), 5) == Region(0, 0, 133, 133)


@pytest.mark.parametrize("size", [(20, 36), (36, 20), (4, 4), (8, 100)])
@pytest.mark.parametrize("border", [0, 2, 5])
def test_every_tile_is_synthesized_once_its_window_is_decoded(size, border):
    grid = TileGrid(*size, 4)
    kept, synthesized, most = set(), [], 0
    windows = {tile: grid.window(tile, border) for tile in range(grid.num_tiles)}
    for step in decoding_steps(grid, windows):
        assert step.tile not in kept
        kept.add(step.tile)
        most = max(most, len(kept))
        for tile in step.complete:
            assert kept.issuperset(grid.touched_by(grid.window(tile, border)))
            synthesized.append(tile)
        kept.difference_update(step.finished)
    assert sorted(synthesized) == list(range(grid.num_tiles))
    assert not kept
    lines = 1 + 2 * -(-border // 4)
    assert most <= lines * min(size) // 4 + 1 + lines


def test_a_region_needs_its_tiles_and_their_neighbours():
    grid = TileGrid(40, 40, 4)
    steps = decoding_steps(grid, {tile: grid.window(tile, 2) for tile in (0, 55)})
    decoded = sorted(step.tile for step in steps)
    assert decoded == [0, 1, 10, 11, 44, 45, 46, 54, 55, 56, 64, 65, 66]
    assert sorted(tile for step in steps for tile in step.complete) == [0, 55]


@pytest.mark.parametrize(
    "region", [(0, 0, 1, 1), (200, 130, 70, 300), (511, 0, 1, 513)]
)
@pytest.mark.parametrize("reach", [None, 3, 6, 50])
def test_parts_of_tiles_see_what_their_pixels_depend_on(region, reach):
    region = Region(*region)
    tiles = ImageTiles(512, 520, 256, 4, reach)
    count = np.zeros((512, 520), int)
    for tile, part in tiles.parts(region).items():
        count[part.pixels.slices] += 1
        top, bottom, left, right = part.crop
        inner = Region(
            part.window.top + top,
            part.window.left + left,
            part.window.height - top - bottom,
            part.window.width - left - right,
        )
        assert (16 * inner.top, 16 * inner.left) == part.pixels[:2]
        assert 0 <= 16 * inner.height - part.pixels.height < 16
        assert 0 <= 16 * inner.width - part.pixels.width < 16
        whole, _ = tiles.synthesis_window(tile)
        assert part.window.shared_with(whole) == part.window
        assert (part.window.top % 4, part.window.left % 4) == (0, 0)
        needed = tiles.latents.grown(inner, 50 if reach is None else reach)
        needed = needed.shared_with(whole)
        assert needed.shared_with(part.window) == needed
        assert part.window.height <= needed.height + 6
        assert part.window.width <= needed.width + 6
    assert count.max() == 1
    assert (count[region.slices] == 1).all()


def test_what_is_shared_is_copied():
    whole = np.arange(48).reshape(6, 8)
    target = np.zeros((3, 4), int)
    here, there = Region(1, 2, 3, 4), Region(2, 0, 4, 4)
    copy_shared(target, here, whole[there.slices], there)
    expected = np.zeros((3, 4), int)
    expected[1:, :2] = whole[2:4, 2:4]
    np.testing.assert_array_equal(target, expected)
    copy_shared(target, here, whole[:1], Region(0, 0, 1, 8))
    np.testing.assert_array_equal(target, expected)


@pytest.mark.parametrize("size", [(1, 1), (65, 200), (129, 129), (300, 64)])
def test_pixels_and_latents_have_the_same_tiles(size):
    tiles = ImageTiles(*size, 128, 3)
    assert tiles.pixels.num_tiles == tiles.latents.num_tiles
    for number in range(tiles.pixels.num_tiles):
        pixels, latents = tiles.pixels.tile(number), tiles.latents.tile(number)
        assert (16 * latents.top, 16 * latents.left) == pixels[:2]
        assert latents.height == -(-pixels.height // 64) * 4
        window, crop = tiles.analysis_window(number)
        assert -(-window.height // 64) * 4 == latents.height + crop[:2].sum()
        assert -(-window.width // 64) * 4 == latents.width + crop[2:].sum()
        assert (crop % 4 == 0).all()
        window, crop = tiles.synthesis_window(number)
        assert window.height == latents.height + crop[:2].sum()
        assert window.width == latents.width + crop[2:].sum()
