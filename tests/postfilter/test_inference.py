"""Filtering decoded pixels: surroundings of tiles, and ensembles."""

import numpy as np
import pytest
import tensorflow as tf

from tests import tiny
from tf_imgcomp.image_codecs.tiles import TileGrid
from tf_imgcomp.postfilter.inference import restore


def _without_pooling():
    """A filter whose channel attention gives every channel the weight 1/2."""
    postfilter = tiny.random_filter()
    for block in postfilter.blocks:
        last = block.channel_attention.output_layer
        last.set_weights([np.zeros_like(weight) for weight in last.get_weights()])
    return postfilter


def test_tiles_equal_the_whole_where_nothing_pools(make_image):
    postfilter, image = _without_pooling(), make_image(61, 190)
    setting = tf.constant([37.0])
    whole = postfilter(image[None], setting)[0]
    grid = TileGrid(61, 190, 32)
    for number in range(grid.num_tiles):
        tile, window = grid.tile(number), grid.window(number, postfilter.reach)
        result = postfilter(image[window.slices][None], setting)[0]
        result = result[tile.seen_from(window).slices]
        np.testing.assert_allclose(result, whole[tile.slices], atol=1e-3)


def test_less_surroundings_would_not_do(make_image):
    """The reach is at most two cells larger than the layers need."""
    postfilter, image = _without_pooling(), make_image(1, 60)
    changed = image.copy()
    changed[0, 0] ^= 255
    a, b = (
        postfilter(i[None], tf.constant([37.0]))[0].numpy() for i in (image, changed)
    )
    touched = np.flatnonzero(np.abs(a - b).max((0, 2)) > 1e-6).max()
    cell = postfilter.config.cell
    assert postfilter.reach - 2 * cell < touched < postfilter.reach + cell


@pytest.mark.slow
@pytest.mark.parametrize(("ensemble", "mirrors"), [("rotations", 1), ("flips", 2)])
def test_an_ensemble_turns_with_the_image(ensemble, mirrors, make_image):
    postfilter, image = tiny.random_filter(), make_image(31, 18)
    expected = restore(postfilter, image, 37.0, ensemble).numpy().astype(int)
    plain = restore(postfilter, image, 37.0).numpy()
    assert (plain != expected).any()
    for turns in range(4):
        for step in (1, -1)[:mirrors]:
            turned = np.rot90(image[:, ::step], turns)
            restored = restore(postfilter, turned.copy(), 37.0, ensemble).numpy()
            difference = np.rot90(restored, -turns)[:, ::step] - expected
            assert np.abs(difference).max() <= 1  # A tie may round the other way.
            assert np.count_nonzero(difference) <= 3
