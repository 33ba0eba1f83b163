"""Patches around positions."""

import tensorflow as tf


def patches_3x3(x: tf.Tensor) -> tf.Tensor:
    """The zero-padded 3x3 neighbourhood of every position, row by row.

    A 3x3 convolution is these patches times its kernel reshaped to `(9 * c, out)`.

    Args:
        x: tensor `(b, h, w, c)`.

    Returns:
        Tensor `(b, h, w, 9 * c)`.
    """
    one = [1, 1, 1, 1]
    return tf.image.extract_patches(x, [1, 3, 3, 1], one, one, "SAME")
