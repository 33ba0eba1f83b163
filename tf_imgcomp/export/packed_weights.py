"""The weights of each transform in an exported model as one variable."""

import contextlib

import tensorflow as tf

from tf_imgcomp.codecs.base import Codec
from tf_imgcomp.export.hidden import Hidden
from tf_imgcomp.ops.replaced_variables import replaced


class PackedWeights(tf.Module):
    """The weights of some layers, in one vector of half precision.

    They take half the bytes in the file (docs/startup.md).

    Args:
        layers: built Keras layers.
    """

    def __init__(self, *layers):
        super().__init__(name="weights")
        variables = _variables(layers)
        self._variables = Hidden(variables)
        self.packed = tf.Variable(half_precision(variables), trainable=False)

    def used(self):
        """Context in which the layers compute with these weights."""
        return unpacked(self._variables.value, self.packed)


def packed_layers(codec: Codec) -> tuple[tuple, tuple]:
    """The layers from image to latents, and those from latents to image."""
    analysis = codec.analysis_transform, codec.latent_coder.hyper_analysis, codec.gain
    return analysis, (codec.synthesis_transform, codec.inverse_gain)


def packed_variables(codec: Codec) -> tuple[list, list]:
    """The trained weights that an exported codec holds in each of its `PackedWeights`.

    In the order of `model_folder.packed_weights`.
    """
    analysis, synthesis = packed_layers(codec)
    return _variables(analysis), _variables(synthesis)


def in_saved_order(codec: Codec) -> list:
    """All trained weights of a codec, in the order of `TileModel.trained_weights`."""
    analysis, synthesis = packed_variables(codec)
    packed = {id(variable) for variable in (*analysis, *synthesis)}
    others = [v for v in codec.trainable_variables if id(v) not in packed]
    return [*analysis, *synthesis, *others]


def _variables(layers) -> list:
    return [variable for layer in layers for variable in layer.trainable_variables]


@contextlib.contextmanager
def unpacked(variables, packed: tf.Tensor):
    """Context in which variables have the values of `half_precision(variables)`."""
    sizes = [variable.shape.num_elements() for variable in variables]
    vectors = tf.split(tf.cast(packed, variables[0].dtype), sizes)
    tensors = [
        vector if variable.shape.rank == 1 else tf.reshape(vector, variable.shape)
        for vector, variable in zip(vectors, variables)
    ]
    with replaced(variables, tensors):
        yield


def half_precision(variables) -> tf.Tensor:
    """All variables as one float16 vector."""
    flat = [tf.reshape(variable, [-1]) for variable in variables]
    return tf.cast(tf.concat(flat, axis=0), tf.float16)
