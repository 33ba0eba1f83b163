"""Models trained in 16 bits, exported in float32."""

import tensorflow as tf

from tf_imgcomp.configured_model import ConfiguredModel
from tf_imgcomp.layers.precision import computing_in


def in_float32(model: ConfiguredModel, setting: float) -> ConfiguredModel:
    """A float32 copy of a codec or a filter; itself if it computes in float32.

    Args:
        model: built.
        setting: a quality or a QP; it and a black image build the copy.
    """
    if model.precision == "float32":
        return model
    with computing_in("float32"):
        copy = type(model).from_config({**model.get_config(), "dtype": "float32"})
        copy(tf.zeros((1, 64, 64, 3)), tf.constant([setting]))
    copy.set_weights(model.get_weights())
    return copy
