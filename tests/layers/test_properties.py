"""Properties of single layers, in closed form."""

import numpy as np
import pytest
import tensorflow as tf

from tf_imgcomp import layers
from tf_imgcomp.ops import checkerboard, quads, raster


def _noise(*shape):
    return tf.random.stateless_normal(shape, [5, 6])


def test_lapped_transform_with_all_coefficients_is_inverted_exactly():
    x = _noise(2, 48, 32, 3)
    y = layers.LappedTransform(768)(x)
    np.testing.assert_allclose(layers.InverseLappedTransform(768)(y), x, atol=1e-5)


def test_lapped_transform_keeps_energy():
    x = _noise(1, 64, 32, 3)
    y = layers.LappedTransform(768)(x)
    energy = tf.reduce_sum(x**2)
    np.testing.assert_allclose(tf.reduce_sum(y**2), energy, rtol=1e-5)


def test_lapped_transform_puts_a_grey_image_into_its_first_coefficient():
    y = layers.LappedTransform(16)(tf.ones((1, 64, 64, 3)) * 0.5)
    np.testing.assert_allclose(y[..., 0], 0.5 * 16 * np.sqrt(3), rtol=1e-4)
    np.testing.assert_allclose(y[..., 1:], 0, atol=1e-4)


@pytest.mark.parametrize(
    "layer",
    [
        layers.FastDeepResidualAttention(8),
        layers.LevelModulation(3),
        layers.PyramidConvolution(8, "all", 14),
    ],
)
def test_layers_that_start_as_the_identity(layer):
    x = _noise(2, 4, 6, 8)
    arguments = (tf.constant([0.0, 1.5]),) if hasattr(layer, "levels") else ()
    np.testing.assert_array_equal(layer(x, *arguments), x)


def test_gain_is_log_linear_between_levels():
    unit = layers.GainUnit(0.0, 4.0, 3, 2)
    gains = unit(tf.ones((3, 1, 1, 2)), tf.constant([0.0, 0.5, 2.0]))
    np.testing.assert_allclose(gains[:, 0, 0, 0], [1.0, 2.0, 16.0], rtol=1e-6)


def test_gdn_closed_form():
    x = _noise(1, 3, 3, 4)
    expected = x / np.sqrt(
        1 + 1e-6 + 0.1 * x**2 + 1e-6 * np.sum(x**2, -1, keepdims=True)
    )
    np.testing.assert_allclose(layers.GDN()(x), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("layer", "taps", "seen", "positions"),
    [
        (
            layers.CheckerboardConv2D(2),
            checkerboard.TAPS,
            lambda x: checkerboard.split(x)[0],
            lambda x: checkerboard.split(x)[1],
        ),
        (layers.RasterConv2D(2), raster.TAPS, lambda x: x, lambda x: x),
    ],
    ids=["checkerboard", "raster"],
)
def test_context_conv_equals_a_masked_convolution(layer, taps, seen, positions):
    x = _noise(1, 6, 8, 3)
    result = layer(seen(x))
    kernel = np.zeros((5, 5, 3, 2), np.float32)
    for tap, (i, j) in enumerate(taps):
        kernel[i, j] = layer.dense.kernel[3 * tap : 3 * tap + 3]
    masked = tf.nn.conv2d(x, kernel, 1, "SAME")
    np.testing.assert_allclose(result, positions(masked), atol=1e-5)


@pytest.mark.parametrize(("count", "taps"), [(1, 4), (2, 12), (3, 16)])
def test_each_pass_of_quads_sees_all_that_is_decoded_in_its_window(count, taps):
    """As a 5x5 convolution of the map, with zeros where nothing is decoded yet."""
    x = _noise(1, 6, 8, 1)
    parts = quads.split(x)
    known = [*parts[:count], *[tf.zeros_like(part) for part in parts[count:]]]
    sums = tf.nn.conv2d(quads.merge(known), tf.ones((5, 5, 1, 1)), 1, "SAME")
    around = quads.neighbours(parts[:count])
    assert around.shape[-1] == taps
    expected = quads.split(sums)[count]
    np.testing.assert_allclose(
        tf.reduce_sum(around, -1, keepdims=True), expected, atol=1e-5
    )
    assert layers.QuadConv2D(2)(*parts[:count]).shape == (1, 3, 4, 2)


def test_quads_come_together_again():
    x = _noise(2, 6, 8, 3)
    np.testing.assert_array_equal(quads.merge(quads.split(x)), x)


def test_bounded_leaky_relu_values():
    result = layers.BoundedLeakyReLU()(tf.constant([-80.0, -8.0, 0.5, 9.0]))
    np.testing.assert_array_equal(result, [-8.0, -1.0, 0.5, 8.0])


def test_fast_module_needs_fewer_multiplications_than_the_simplified_one():
    def multiplications(layer):
        layer(tf.zeros((1, 8, 8, 64)))
        kernels = [w for w in layer.trainable_weights if len(w.shape) == 4]
        # The wide branch of the fast module runs on a quarter of the positions.
        wide = {id(w.kernel) for w in getattr(layer, "wide", [])}
        return sum(np.prod(w.shape) * (0.25 if id(w) in wide else 1) for w in kernels)

    fast = multiplications(layers.FastDeepResidualAttention(64))
    simplified = multiplications(layers.SimplifiedAttention(64))
    assert fast / 64**2 == pytest.approx(13.73, abs=0.05)
    assert simplified / 64**2 == pytest.approx(20.5, abs=0.05)
