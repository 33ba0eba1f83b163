"""The two colours of a checkerboard (He et al. 2021, "Checkerboard Context Model for
Efficient Learned Image Compression", section 3).

A map `(b, h, w, c)` with even sides splits into anchors (i + j even) and non-anchors
(i + j odd), here called others. In every pair of rows, each column holds one position
of each colour, so a colour is a dense map `(b, h / 2, w, c)`. Networks of 1x1
convolutions run on one colour without computing the other.
"""

import tensorflow as tf

# Rows and columns of the 12 taps of a 5x5 window that meet the other colour.
TAPS = tuple((i, j) for i in range(5) for j in range(5) if (i + j) % 2)


def split(x: tf.Tensor) -> tuple:
    """Splits a map `(b, h, w, c)` into its anchors and non-anchors."""
    batch, height, width, _ = tf.unstack(tf.shape(x))
    shape = [batch, height // 2, width, x.shape[-1]]
    squares = tf.split(tf.nn.space_to_depth(x, 2), 4, axis=-1)
    upper_left, upper_right, lower_left, lower_right = squares
    anchors = tf.concat([upper_left, lower_right], axis=-1)
    others = tf.concat([lower_left, upper_right], axis=-1)
    return tf.reshape(anchors, shape), tf.reshape(others, shape)


def merge(anchors: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
    """Puts the two colours together again: the inverse of `split`."""
    batch, height, width, _ = tf.unstack(tf.shape(anchors))
    shape = [batch, height, width // 2, 2 * anchors.shape[-1]]
    upper_left, lower_right = tf.split(tf.reshape(anchors, shape), 2, axis=-1)
    lower_left, upper_right = tf.split(tf.reshape(others, shape), 2, axis=-1)
    squares = [upper_left, upper_right, lower_left, lower_right]
    return tf.nn.depth_to_space(tf.concat(squares, axis=-1), 2)


def anchors_around_others(anchors: tf.Tensor) -> tf.Tensor:
    """The 12 anchors in the 5x5 window around each non-anchor, zero-padded.

    Args:
        anchors: tensor `(b, h / 2, w, c)`, as `split` gives it.

    Returns:
        Tensor `(b, h / 2, w, 12 * c)`, in the order of `TAPS`.
    """
    x = merge(anchors, tf.zeros_like(anchors))
    batch, height, width, channels = tf.unstack(tf.shape(x))
    padded = tf.pad(x, [[0, 0], [2, 2], [2, 2], [0, 0]])
    rows = tf.reshape(padded, [batch, -1, channels])
    # Start of each window: in even columns, non-anchors are in odd rows.
    column = tf.range(width)[None]
    row = 2 * tf.range(height // 2)[:, None] + 1 - column % 2
    taps = tf.stack([i * (width + 4) + j for i, j in TAPS])
    index = (row * (width + 4) + column)[..., None] + taps
    shape = [batch, height // 2, width, len(TAPS) * x.shape[-1]]
    return tf.reshape(tf.gather(rows, index, axis=1), shape)
