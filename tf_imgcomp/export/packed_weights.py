"""All weights of an exported model as one variable."""

import contextlib

import tensorflow as tf

from tf_imgcomp.ops.functional import replaced


class PackedWeights(tf.Module):
    """The weights of some layers, all in one vector of half precision.

    A program that codes one photo waits for every variable and every operation to be
    loaded, and hardly for their sizes.

    Args:
        layers: built Keras layers.
    """

    def __init__(self, *layers):
        super().__init__(name="weights")
        variables = [v for layer in layers for v in layer.trainable_variables]
        self._variables = Hidden(variables)
        self.packed = tf.Variable(half_precision(variables), trainable=False)

    @contextlib.contextmanager
    def used(self):
        """Inside, the layers compute with these weights, in their own type."""
        variables = self._variables.value
        sizes = [variable.shape.num_elements() for variable in variables]
        vectors = tf.split(tf.cast(self.packed, variables[0].dtype), sizes)
        tensors = [
            vector if variable.shape.rank == 1 else tf.reshape(vector, variable.shape)
            for vector, variable in zip(vectors, variables)
        ]
        with replaced(variables, tensors):
            yield


def half_precision(variables) -> tf.Tensor:
    flat = [tf.reshape(variable, [-1]) for variable in variables]
    return tf.cast(tf.concat(flat, axis=0), tf.float16)


class Hidden:
    """Holds what a `tf.Module` uses but must not save."""

    def __init__(self, value):
        self.value = value
