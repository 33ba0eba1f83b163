"""Filtering decoded pixels: tiles, ensembles, and the choice of a filter."""

import numpy as np
import pytest
import tensorflow as tf

from tests import tiny
from tf_imgcomp.postfilter.choice import choose
from tf_imgcomp.postfilter.inference import in_tiles, restore


def _without_pooling():
    """A filter whose channel attention gives every channel the weight 1/2."""
    postfilter = tiny.random_filter()
    for block in postfilter.blocks:
        last = block.channel_attention.output_layer
        last.set_weights([np.zeros_like(weight) for weight in last.get_weights()])
    return postfilter


@pytest.mark.parametrize("size", [(61, 90), (16, 16), (1, 40)])
def test_tiles_equal_the_whole_where_nothing_pools(size, make_image):
    postfilter, image = _without_pooling(), make_image(*size)
    whole = in_tiles(postfilter, image, 37.0, 128)
    np.testing.assert_allclose(in_tiles(postfilter, image, 37.0, 16), whole, atol=1e-3)


def test_less_surroundings_would_not_do(make_image):
    """The reach is at most two cells larger than the layers need."""
    postfilter, image = _without_pooling(), make_image(1, 60)
    changed = image.copy()
    changed[0, 0] ^= 255
    a, b = (in_tiles(postfilter, i, 37.0, 128).numpy() for i in (image, changed))
    touched = np.flatnonzero(np.abs(a - b).max((0, 2)) > 1e-6).max()
    cell = postfilter.config.cell
    assert postfilter.reach - 2 * cell < touched < postfilter.reach + cell


def test_a_picture_no_larger_than_a_tile_is_seen_whole(make_image):
    postfilter, image = tiny.random_filter(), make_image(30, 40)
    whole = postfilter(image[None], tf.constant([37.0]))[0]
    np.testing.assert_allclose(in_tiles(postfilter, image, 37.0, 40), whole, atol=1e-4)


def test_tiles_in_a_graph_of_unknown_size_give_the_same(make_image):
    postfilter, image = tiny.random_filter(), make_image(37, 50)
    specs = [tf.TensorSpec((None, None, 3), tf.uint8), tf.TensorSpec((), tf.float32)]
    graph = tf.function(
        lambda i, s: in_tiles(postfilter, i, s, 16), input_signature=specs
    )
    expected = in_tiles(postfilter, image, 37.0, 16)
    np.testing.assert_allclose(graph(image, 37.0), expected, atol=1e-3)


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


def test_the_best_is_chosen_and_none_of_equals(make_image):
    original = make_image(20, 20) // 2 + 60
    decoded = original + np.uint8(9)
    worse, better = (lambda x: x + np.uint8(1)), (lambda x: x - np.uint8(5))
    best = lambda x: tf.constant(x - np.uint8(9))  # noqa: E731
    assert choose(original, decoded, []) == 0
    assert choose(original, decoded, [worse, lambda x: x]) == 0
    assert choose(original, decoded, [worse, better]) == 2
    assert choose(original, decoded, [best, worse, better, best]) == 1
