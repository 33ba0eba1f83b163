"""Padding to a multiple of the codec's stride."""

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
        last = tf.gather(x, [size - 1], axis=axis)
        times = [1, 1, 1, 1]
        times[axis] = -size % multiple
        x = tf.concat([x, tf.tile(last, times)], axis=axis)  # Faster than a gather.
    return x
