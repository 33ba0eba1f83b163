"""Raster order: the context of a position lies above it, or left of it in its row.

With a 5x5 window, positions of equal `j + 3 * i` do not see each other. Such a
wavefront is decoded in one step: `w + 3 * (h - 1)` steps in place of `h * w`.
"""

import tensorflow as tf

# Rows and columns of the 12 taps of a 5x5 window that come before its centre.
TAPS = tuple((i, j) for i in range(5) for j in range(5) if (i, j) < (2, 2))


def pad(x: tf.Tensor) -> tf.Tensor:
    """Pads a map with the zeros that windows see: `(b, h + 2, w + 4, c)`."""
    return tf.pad(x, [[0, 0], [2, 0], [2, 2], [0, 0]])


def all_neighbours(x: tf.Tensor) -> tf.Tensor:
    """The 12 preceding positions in the 5x5 window of each position.

    Args:
        x: tensor `(b, h, w, c)`, zero-padded.

    Returns:
        Tensor `(b, h, w, 12 * c)`, in the order of `TAPS`.
    """
    height, width = tf.shape(x)[1], tf.shape(x)[2]
    padded = pad(x)
    taps = [padded[:, i : i + height, j : j + width] for i, j in TAPS]
    return tf.concat(taps, axis=-1)


def neighbours(padded: tf.Tensor, rows: tf.Tensor, columns: tf.Tensor) -> tf.Tensor:
    """The 12 preceding positions of some positions.

    Args:
        padded: tensor `(b, h + 2, w + 4, c)`, from `pad`.
        rows: int32 `(n,)`, rows of the positions in the map.
        columns: int32 `(n,)`, their columns.

    Returns:
        Tensor `(b, n, 12 * c)`, in the order of `TAPS`.
    """
    batch, _, width, channels = tf.unstack(tf.shape(padded))
    taps = tf.constant([i for i, _ in TAPS]) * width + [j for _, j in TAPS]
    index = (rows * width + columns)[:, None] + taps
    flat = tf.reshape(padded, [batch, -1, channels])
    shape = [batch, tf.size(rows), len(TAPS) * padded.shape[-1]]
    return tf.reshape(tf.gather(flat, index, axis=1), shape)


def update(
    padded: tf.Tensor, rows: tf.Tensor, columns: tf.Tensor, x: tf.Tensor
) -> tf.Tensor:
    """Writes values at some positions of a map.

    Args:
        padded: tensor `(b, h + 2, w + 4, c)`, from `pad`.
        rows: int32 `(n,)`, rows of the positions in the map.
        columns: int32 `(n,)`, their columns.
        x: tensor `(b, n, c)`, the values.

    Returns:
        The padded map.
    """
    batch, shape = tf.shape(x)[0], tf.shape(x)[:2]
    image = tf.broadcast_to(tf.range(batch)[:, None], shape)
    row, column = (tf.broadcast_to(k + 2, shape) for k in (rows, columns))
    index = tf.stack([image, row, column], axis=-1)
    return tf.tensor_scatter_nd_update(padded, index, x)


def wavefronts(height: tf.Tensor, width: tf.Tensor) -> tuple:
    """All positions of a map in decoding order.

    Args:
        height: int32 scalar, height of the map.
        width: int32 scalar, its width.

    Returns:
        Positions, int32 `(h * w,)`, row times width plus column, wavefront after
        wavefront; and the size of each wavefront, int32 `(w + 3 * (h - 1),)`.
    """
    row, column = tf.range(height)[:, None], tf.range(width)[None]
    step = tf.reshape(column + 3 * row, [-1])
    sizes = tf.math.bincount(step, minlength=width + 3 * (height - 1))
    return tf.argsort(step, stable=True), sizes
