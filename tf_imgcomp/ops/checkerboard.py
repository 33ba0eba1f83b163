"""The two colours of a checkerboard (He et al. 2021, "Checkerboard Context Model for
Efficient Learned Image Compression", section 3).

A map `(b, h, w, c)` with even sides splits into anchors (i + j even) and the others
(i + j odd). In every pair of rows each column holds one of either colour, so a colour
is a dense map `(b, h / 2, w, c)`: networks that look at single positions run on one
colour without computing the other.
"""

import tensorflow as tf

# Rows and columns of the 12 taps of a 5x5 window that meet the other colour.
TAPS = tuple((i, j) for i in range(5) for j in range(5) if (i + j) % 2)


def _even_columns(x: tf.Tensor) -> tf.Tensor:
    return tf.equal(tf.range(tf.shape(x)[2]) % 2, 0)[None, None, :, None]


def split(x: tf.Tensor) -> tuple:
    """Splits a map `(b, h, w, c)` into its anchors and the others."""
    even_rows, odd_rows, even = x[:, ::2], x[:, 1::2], _even_columns(x)
    return tf.where(even, even_rows, odd_rows), tf.where(even, odd_rows, even_rows)


def merge(anchors: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
    """Puts the two colours together again: the inverse of `split`."""
    even = _even_columns(anchors)
    rows = [tf.where(even, anchors, others), tf.where(even, others, anchors)]
    batch, height, width, channels = tf.unstack(tf.shape(anchors))
    shape = [batch, 2 * height, width, channels]
    merged = tf.reshape(tf.stack(rows, axis=2), shape)
    return tf.ensure_shape(merged, [None, None, None, anchors.shape[-1]])


def anchors_around_others(x: tf.Tensor) -> tf.Tensor:
    """The 12 anchors in the 5x5 window around each of the other positions.

    Args:
        x: tensor `(b, h, w, c)`, even sides. Zero is assumed outside.

    Returns:
        Tensor `(b, h / 2, w, 12 * c)`, in the order of `TAPS`.
    """
    batch, height, width, channels = tf.unstack(tf.shape(x))
    padded = tf.pad(x, [[0, 0], [2, 2], [2, 2], [0, 0]])
    columns = []
    for top, left in ((1, 0), (0, 1)):  # Even columns, then odd ones.
        taps = [
            padded[:, top + i : top + i + height : 2, left + j : left + j + width : 2]
            for i, j in TAPS
        ]
        columns.append(tf.concat(taps, axis=-1))
    shape = [batch, height // 2, width, len(TAPS) * channels]
    patches = tf.reshape(tf.stack(columns, axis=3), shape)
    return tf.ensure_shape(patches, [None, None, None, len(TAPS) * x.shape[-1]])
