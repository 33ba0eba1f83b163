"""Properties that every layer must have.

A layer that is missing from the catalogue fails the last test.
"""

import numpy as np
import pytest
import tensorflow as tf

from tf_imgcomp import layers

LEVEL = tf.constant([0.4, 1.7])


def _features(height=6, width=10, channels=8):
    return tf.random.stateless_normal((2, height, width, channels), [1, 2])


# Name of the layer: its constructor, its inputs, the shape of its result.
CATALOGUE = {
    "AttentionResidualBlock": (
        lambda: layers.AttentionResidualBlock(8, 2),
        lambda: (_features(5, 7),),
        (2, 5, 7, 8),
    ),
    "BoundedLeakyReLU": (
        lambda: layers.BoundedLeakyReLU(),
        lambda: (_features(),),
        (2, 6, 10, 8),
    ),
    "ChannelAttention": (
        lambda: layers.ChannelAttention(4),
        lambda: (_features(5, 7),),
        (2, 5, 7, 8),
    ),
    "CheckerboardConv2D": (
        lambda: layers.CheckerboardConv2D(3),
        lambda: (_features(3, 10),),
        (2, 3, 10, 3),
    ),
    "FastDeepResidualAttention": (
        lambda: layers.FastDeepResidualAttention(8),
        lambda: (_features(),),
        (2, 6, 10, 8),
    ),
    "GDN": (lambda: layers.GDN(), lambda: (_features(5, 7),), (2, 5, 7, 8)),
    "GDN inverse": (
        lambda: layers.GDN(inverse=True),
        lambda: (_features(5, 7),),
        (2, 5, 7, 8),
    ),
    "GainUnit": (
        lambda: layers.GainUnit(-1.0, 3.0, 4, 8),
        lambda: (_features(), LEVEL),
        (2, 6, 10, 8),
    ),
    "ImportanceMap": (
        lambda: layers.ImportanceMap(4, 6),
        lambda: (_features(5, 7),),
        (2, 3, 4, 6),
    ),
    "InverseLappedTransform": (
        lambda: layers.InverseLappedTransform(8),
        lambda: (_features(2, 3),),
        (2, 32, 48, 3),
    ),
    "LappedTransform": (
        lambda: layers.LappedTransform(8),
        lambda: (_features(32, 48, 3),),
        (2, 2, 3, 8),
    ),
    "LevelModulation": (
        lambda: layers.LevelModulation(4),
        lambda: (_features(5, 7), LEVEL),
        (2, 5, 7, 8),
    ),
    "LogFeatures": (
        lambda: layers.LogFeatures(),
        lambda: (_features(5, 7),),
        (2, 5, 7, 16),
    ),
    "LogFeatures signed": (
        lambda: layers.LogFeatures(magnitudes=False),
        lambda: (_features(5, 7),),
        (2, 5, 7, 8),
    ),
    "RasterConv2D": (
        lambda: layers.RasterConv2D(3),
        lambda: (_features(5, 7),),
        (2, 5, 7, 3),
    ),
    "MultiFrequencyChannelAttention groups": (
        lambda: layers.MultiFrequencyChannelAttention("groups", 14, 4),
        lambda: (_features(5, 17),),
        (2, 5, 17, 8),
    ),
    "MultiFrequencyChannelAttention all": (
        lambda: layers.MultiFrequencyChannelAttention("all", 14, 4),
        lambda: (_features(17, 5),),
        (2, 17, 5, 8),
    ),
    "PostProcessing": (
        lambda: layers.PostProcessing(1, 8, 4),
        lambda: (_features(16, 24, 3), _features(2, 3, 8), LEVEL),
        (2, 16, 24, 3),
    ),
    "PostQuantizationFilter": (
        lambda: layers.PostQuantizationFilter(4, 8, 4),
        lambda: (_features(5, 7), LEVEL),
        (2, 5, 7, 8),
    ),
    "PyramidConvolution": (
        lambda: layers.PyramidConvolution(8, "groups", 14),
        lambda: (_features(5, 17),),
        (2, 5, 17, 8),
    ),
    "QuadConv2D": (
        lambda: layers.QuadConv2D(3),
        lambda: (_features(3, 5), _features(3, 5)),
        (2, 3, 5, 3),
    ),
    "ResidualBlock": (
        lambda: layers.ResidualBlock(8, 4),
        lambda: (_features(5, 7),),
        (2, 5, 7, 8),
    ),
    "ResidualDownsample": (
        lambda: layers.ResidualDownsample(4),
        lambda: (_features(5, 7),),
        (2, 3, 4, 4),
    ),
    "ResidualUnit": (
        lambda: layers.ResidualUnit(8, 2),
        lambda: (_features(5, 7),),
        (2, 5, 7, 8),
    ),
    "ResidualUpsample": (
        lambda: layers.ResidualUpsample(4),
        lambda: (_features(5, 7),),
        (2, 10, 14, 4),
    ),
    "SimplifiedAttention": (
        lambda: layers.SimplifiedAttention(8, 2),
        lambda: (_features(5, 7),),
        (2, 5, 7, 8),
    ),
    "SpatialAttention": (
        lambda: layers.SpatialAttention(3),
        lambda: (_features(5, 7),),
        (2, 5, 7, 8),
    ),
    "SubpixelConv2D": (
        lambda: layers.SubpixelConv2D(4, 3, 2),
        lambda: (_features(5, 7),),
        (2, 10, 14, 4),
    ),
    "SubpixelConv2D at one size": (
        lambda: layers.SubpixelConv2D(4, 3, 1),
        lambda: (_features(5, 7),),
        (2, 5, 7, 4),
    ),
}

every_layer = pytest.mark.parametrize("name", CATALOGUE)


def _make(name):
    tf.keras.utils.set_random_seed(1)
    make, inputs, shape = CATALOGUE[name]
    return make(), inputs(), shape


@every_layer
def test_result_has_the_stated_shape_and_is_finite(name):
    layer, inputs, shape = _make(name)
    result = layer(*inputs)
    assert result.shape == shape
    assert np.isfinite(result).all()


@every_layer
def test_config_and_weights_make_the_same_layer_again(name):
    layer, inputs, _ = _make(name)
    expected = layer(*inputs)
    config = tf.keras.saving.serialize_keras_object(layer)
    again = tf.keras.saving.deserialize_keras_object(config)
    again(*inputs)
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(again(*inputs), expected)


@pytest.mark.slow
@every_layer
def test_tf_function_of_unknown_size_gives_the_same(name):
    layer, inputs, _ = _make(name)
    expected = layer(*inputs)
    signature = [
        tf.TensorSpec([None] * (len(x.shape) - 1) + [x.shape[-1]], x.dtype)
        if len(x.shape) == 4
        else tf.TensorSpec(x.shape, x.dtype)
        for x in inputs
    ]
    function = tf.function(lambda *xs: layer(*xs), input_signature=signature)
    np.testing.assert_allclose(function(*inputs), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.slow
@every_layer
def test_saved_model_gives_the_same(name, tmp_path):
    layer, inputs, _ = _make(name)
    expected = layer(*inputs)
    module = tf.Module()
    module.layer_variables = layer.variables
    specs = [tf.TensorSpec(x.shape, x.dtype) for x in inputs]
    module.call = tf.function(lambda *xs: layer(*xs), input_signature=specs)
    tf.saved_model.save(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    np.testing.assert_allclose(loaded.call(*inputs), expected, rtol=1e-5, atol=1e-5)


@every_layer
def test_every_weight_can_get_a_gradient(name):
    layer, inputs, _ = _make(name)
    layer(*inputs)
    for variable in layer.trainable_variables:  # Zero weights block gradients.
        noise = tf.random.stateless_normal(variable.shape, [3, 4], stddev=0.1)
        variable.assign_add(noise)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(layer(*inputs)))
    for variable, gradient in zip(
        layer.trainable_variables, tape.gradient(loss, layer.trainable_variables)
    ):
        assert gradient is not None, variable.name
        assert tf.reduce_any(tf.convert_to_tensor(gradient) != 0), variable.name


def test_catalogue_is_complete():
    assert {name.split()[0] for name in CATALOGUE} == set(layers.__all__)
