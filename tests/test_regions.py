"""The grid of tiles covers an image, each pixel once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tf_imgcomp.errors import ImageError
from tf_imgcomp.regions import Region, tile_count, tile_region

sizes = st.integers(1, 300)
sides = st.sampled_from((0, 64, 128, 320))


@given(sizes, sizes, sides)
def test_tiles_cover_each_pixel_once_row_by_row(height, width, side):
    numbers = np.full((height, width), -1)
    corners = []
    for number in range(tile_count(height, width, side)):
        tile = tile_region(number, height, width, side)
        tile.check_inside(height, width)
        assert side == 0 or max(tile.height, tile.width) <= side
        assert (numbers[tile.slices] == -1).all()
        numbers[tile.slices] = number
        corners.append((tile.top, tile.left))
    assert numbers.min() == 0
    assert corners == sorted(corners)


@pytest.mark.parametrize("side", [64, 16320])
def test_the_largest_image_has_a_count(side):
    largest = 2**32 - 1
    count = tile_count(largest, largest, side)
    assert count == (-(-largest // side)) ** 2
    last = tile_region(count - 1, largest, largest, side)
    assert last.top + last.height == last.left + last.width == largest


regions = st.builds(Region, *[st.integers(0, 20)] * 2, *[st.integers(1, 20)] * 2)


def _mask(region):
    mask = np.zeros((40, 40), bool)
    mask[region.slices] = True
    return mask


@given(regions, regions)
def test_shared_pixels_are_those_in_both(one, other):
    both = _mask(one) & _mask(other)
    shared = one.shared_with(other)
    assert (shared is None) == (not both.any())
    if shared:
        np.testing.assert_array_equal(_mask(shared), both)


@given(regions, regions)
def test_pixels_are_the_same_from_wherever_they_are_counted(one, other):
    shared, image = one.shared_with(other), np.arange(1600).reshape(40, 40)
    if shared:
        part = image[other.slices][shared.seen_from(other).slices]
        np.testing.assert_array_equal(part, image[shared.slices])


def test_a_region_that_sticks_out_is_refused():
    Region(2, 3, 4, 5).check_inside(6, 8)
    message = (
        r"^the image of 7x6 pixels does not contain the region of 5x4 pixels at 3,2"
    )
    with pytest.raises(ImageError, match=message):
        Region(2, 3, 4, 5).check_inside(6, 7)
