"""Shared by the layers: registration under one name, and a padded convolution."""

import contextlib

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


@contextlib.contextmanager
def computing_in(dtype: str):
    """Layers made inside compute in this type, whatever the global policy is."""
    policy = tf.keras.mixed_precision.global_policy()
    tf.keras.mixed_precision.set_global_policy(dtype)
    try:
        yield
    finally:
        tf.keras.mixed_precision.set_global_policy(policy)


def unmixed():
    """Layers made inside compute in the type of their weights, never in 16 bits."""
    return computing_in(tf.keras.mixed_precision.global_policy().variable_dtype)
