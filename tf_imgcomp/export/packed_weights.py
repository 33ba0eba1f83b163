"""All weights of an exported model as one variable."""

import contextlib

import tensorflow as tf

from tf_imgcomp.ops.functional import replaced


class PackedWeights(tf.Module):
    """The weights of some layers, in one vector of half precision.

    Load time depends on the number of variables, not on their size (docs/startup.md).

    Args:
        layers: built Keras layers.
    """

    def __init__(self, *layers):
        super().__init__(name="weights")
        variables = [v for layer in layers for v in layer.trainable_variables]
        self._variables = Hidden(variables)
        self.packed = tf.Variable(half_precision(variables), trainable=False)

    def used(self):
        """Context in which the layers compute with these weights."""
        return unpacked(self._variables.value, self.packed)


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


class Hidden:
    """Hides an attribute of a `tf.Module`, which then does not save it."""

    def __init__(self, value):
        self.value = value
