"""The tiles of an image in the graph, against `image_codecs.tiles`."""

import numpy as np
import pytest
import tensorflow as tf

from tf_imgcomp.image_codecs import tiles
from tf_imgcomp.serving.windows import ImageTiles

SIZES = [(1, 1), (64, 64), (65, 1), (1, 65), (128, 129), (300, 200), (257, 70)]


def _check(window, crop, region, expected_crop, x):
    np.testing.assert_array_equal(window.of(x), x[region.slices])
    np.testing.assert_array_equal(crop, expected_crop)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("border", [0, 3, 4])
@pytest.mark.parametrize("side", [64, 128])
def test_windows_are_those_of_the_codec(size, border, side):
    expected = tiles.ImageTiles(*size, side, border)
    found = ImageTiles(tf.constant(size), side, border)
    assert int(found.count) == expected.pixels.num_tiles
    pixels = np.arange(np.prod(size)).reshape(*size, 1)
    latents = expected.latents
    y = np.arange(latents.height * latents.width).reshape(-1, latents.width, 1)
    for number in range(expected.pixels.num_tiles):
        tile = tf.constant(number)
        _check(*found.analysis_window(tile), *expected.analysis_window(number), pixels)
        _check(*found.synthesis_window(tile), *expected.synthesis_window(number), y)


@pytest.mark.parametrize("size", SIZES)
def test_blocks_join_to_the_map(size):
    grid = ImageTiles(tf.constant(size), 64, 0).pixels
    x = tf.random.stateless_uniform([*size, 3], [1, 2])
    numbers = range(int(tf.reduce_prod(grid.shape)))
    blocks = [grid.block(grid.tile(number).of(x), number) for number in numbers]
    np.testing.assert_array_equal(grid.joined(tf.stack(blocks)), x)
