"""Padding to a multiple of the codec's stride, and patches around positions."""

import tensorflow as tf


def pad_to_multiple(x: tf.Tensor, multiple: int) -> tf.Tensor:
    """Repeats the last row and column until both sizes are multiples.

    Args:
        x: tensor `(b, h, w, c)`, `h` and `w` at least 1.
        multiple: int.

    Returns:
        Tensor `(b, H, W, c)` whose top left corner is `x`.
    """
    for axis in (1, 2):
        size = tf.shape(x)[axis]
        positions = tf.range(size + (-size) % multiple)
        x = tf.gather(x, tf.minimum(positions, size - 1), axis=axis)
    return x


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
