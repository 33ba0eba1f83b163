"""Average pooling, adaptive too, and linear interpolation.

Sizes may be unknown until a graph runs; XLA needs them when it compiles. What is not a
mean over equal squares is computed as matrix products.
"""

import tensorflow as tf


def pool(x: tf.Tensor, rows, columns) -> tf.Tensor:
    """Averages over a grid of cells of nearly equal sizes (adaptive pooling).

    Cell i of n covers the positions from `floor(i * size / n)` to
    `ceil((i + 1) * size / n)`; neighbouring cells may share a position.

    Args:
        x: float `(b, h, w, c)`.
        rows: int, at most h.
        columns: int, at most w.

    Returns:
        float `(b, rows, columns, c)`.
    """
    return _both_axes(x, rows, columns, _cells)


def shrink(x: tf.Tensor, factor) -> tf.Tensor:
    """Averages over squares.

    Args:
        x: float `(b, h, w, c)`; h and w multiples of `factor`.
        factor: int, the side of a square.

    Returns:
        float `(b, h / factor, w / factor, c)`.
    """
    batch, height, width, _ = tf.unstack(tf.shape(x))
    shape = [batch, height // factor, factor, width // factor, factor, x.shape[-1]]
    return tf.reduce_mean(tf.reshape(x, shape), [2, 4])


def spread(x: tf.Tensor, rows, columns) -> tf.Tensor:
    """Interpolates linearly between the centres of cells, constant beyond them.

    Args:
        x: float `(b, n, m, c)`, one value for each cell.
        rows: int, positions over the n cells.
        columns: int, positions over the m cells.

    Returns:
        float `(b, rows, columns, c)`.
    """
    return _both_axes(x, rows, columns, _hats)


def _both_axes(x: tf.Tensor, rows, columns, weights) -> tf.Tensor:
    batch, height, width, _ = tf.unstack(tf.shape(x))
    channels = x.shape[-1]
    lines = tf.reshape(x, [batch, height, width * channels])
    lines = tf.matmul(tf.cast(weights(height, rows), x.dtype), lines)
    lines = tf.reshape(lines, [batch * rows, width, channels])
    lines = tf.matmul(tf.cast(weights(width, columns), x.dtype), lines)
    return tf.reshape(lines, [batch, rows, columns, channels])


def _cells(size, cells) -> tf.Tensor:
    """Weights `(cells, size)` of the mean over each cell."""
    cell, position = tf.range(cells)[:, None], tf.range(size)
    start, stop = cell * size // cells, -(-(cell + 1) * size // cells)
    inside = tf.cast((start <= position) & (position < stop), tf.float64)
    return inside / tf.cast(stop - start, tf.float64)


def _hats(cells, size) -> tf.Tensor:
    """Weights `(size, cells)` of linear interpolation between cells."""
    cell = tf.range(cells, dtype=tf.float64)
    position = tf.range(size, dtype=tf.float64)[:, None] + 0.5
    scale = tf.cast(cells, tf.float64) / tf.cast(size, tf.float64)
    last = tf.cast(cells, tf.float64) - 1
    centre = tf.clip_by_value(position * scale - 0.5, 0.0, last)
    return tf.nn.relu(1 - tf.abs(centre - cell))
