"""Multi-frequency attention and the importance map, in closed form."""

import numpy as np
import pytest
import tensorflow as tf

from tf_imgcomp import layers
from tf_imgcomp.layers.frequency import FORMS
from tf_imgcomp.ops import bases

every_form = pytest.mark.parametrize("form", FORMS)


def _noise(*shape):
    return tf.random.stateless_normal(shape, [5, 6])


def _attention(form, channels, extent=14):
    layer = layers.MultiFrequencyChannelAttention(form, extent, 2)
    layer(tf.zeros((1, 1, 1, channels)))
    return layer


def _products(x):
    """Each channel of a small map times each of the 16 cosines, `(16, h, w, c)`."""
    height, width, _ = x.shape
    cosines = []
    for u, v in bases.TOP_FREQUENCIES.T:
        plane = np.zeros((height, width))
        if u < height and v < width:
            down, across = bases.dct2(height)[u], bases.dct2(width)[v]
            plane = np.sqrt(height * width) * np.outer(down, across)
        cosines.append(plane[..., None] * x)
    return np.stack(cosines)


def _gates(layer, statistics):
    said = layer.output_layer(layer.hidden(np.float32(statistics)))
    return tf.sigmoid(tf.reduce_sum(said, axis=0))


def test_groups_take_one_frequency_each_of_a_small_map():
    layer, x = _attention("groups", 32), _noise(1, 5, 7, 32)
    frequencies = _products(x[0].numpy()).mean((1, 2))
    statistics = frequencies[np.arange(32) // 2, np.arange(32)]
    expected = x[0] * _gates(layer, statistics[None])
    np.testing.assert_allclose(layer(x)[0], expected, atol=1e-5)


def test_all_frequencies_of_all_channels_of_a_small_map():
    layer, x = _attention("all", 6), _noise(1, 7, 3, 6)
    product = _products(x[0].numpy())
    kinds = [kind(product, (1, 2)).mean(0) for kind in (np.mean, np.max, np.min)]
    expected = x[0] * _gates(layer, np.stack(kinds))
    np.testing.assert_allclose(layer(x)[0], expected, atol=1e-5)


@every_form
def test_larger_maps_are_pooled(form):
    layer, x = _attention(form, 16, 28), _noise(1, 7, 7, 16)
    enlarged = tf.repeat(tf.repeat(x, 4, axis=1), 3, axis=2)
    expected = tf.repeat(tf.repeat(layer(x), 4, axis=1), 3, axis=2)
    np.testing.assert_allclose(layer(enlarged), expected, atol=1e-5)


@every_form
def test_what_is_far_away_does_not_matter(form):
    layer, x = _attention(form, 16), _noise(1, 56, 14, 16).numpy()
    changed = x.copy()
    changed[:, 28:] *= 3
    result, other = layer(x), layer(changed)
    # Up to the centre of the second of four windows.
    np.testing.assert_array_equal(result[:, :21], other[:, :21])
    assert tf.reduce_any(result[:, 21:28] != other[:, 21:28])


@every_form
def test_a_part_has_the_windows_of_the_whole(form):
    layer, x = _attention(form, 16), _noise(1, 45, 31, 16)
    part = layer(x[:, 14:, 14:])
    # Down to the centre of its first window, windows outside of the part matter.
    np.testing.assert_allclose(part[:, 7:, 7:], layer(x)[:, 21:, 21:], atol=1e-6)


@every_form
def test_equal_windows_are_weighted_alike(form):
    layer, x = _attention(form, 16), _noise(1, 14, 14, 16)
    tiled = tf.tile(x, [1, 2, 3, 1])
    expected = tf.tile(layer(x), [1, 2, 3, 1])
    np.testing.assert_allclose(layer(tiled), expected, atol=1e-5)


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="Expected a form of .* received 'some'"):
        layers.MultiFrequencyChannelAttention("some", 16)
    with pytest.raises(ValueError, match="Expected an extent of 14 .* received 13"):
        layers.MultiFrequencyChannelAttention("all", 13)


def test_importance_starts_at_one_and_stays_below_two():
    layer, features = layers.ImportanceMap(4, 6), _noise(1, 8, 8, 3)
    np.testing.assert_array_equal(layer(features), np.ones((1, 4, 4, 6)))
    layer.weigh.kernel.assign_add(_noise(1, 1, 4, 6))
    weights = layer(9 * features).numpy()
    assert (weights > 0).all()
    assert (weights < 2).all()
    assert weights.std() > 0.1
