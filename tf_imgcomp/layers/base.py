"""Shared by the layers: registration, a padded convolution, the base of a block."""

import tensorflow as tf

register = tf.keras.saving.register_keras_serializable(package="tf_imgcomp")


def conv(filters: int, size: int, strides: int = 1, **kwargs) -> tf.keras.layers.Layer:
    """A convolution with zero padding, as every block here has it."""
    return tf.keras.layers.Conv2D(
        filters, size, strides=strides, padding="same", **kwargs
    )


class Block(tf.keras.layers.Layer):
    """A layer whose constructor takes plain arguments, kept for `get_config`.

    A subclass lists them in `arguments` and stores each under its own name.
    """

    arguments: tuple = ()

    def get_config(self) -> dict:
        config = super().get_config()
        return {**config, **{name: getattr(self, name) for name in self.arguments}}
