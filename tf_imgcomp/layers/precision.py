"""The type in which layers compute, whatever the global policy is."""

import contextlib

import tensorflow as tf


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
