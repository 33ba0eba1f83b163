"""Averages over squares and windows of a map, and linear interpolation.

Sizes may be unknown until a graph runs; XLA needs them when it compiles. Everything but
the mean over equal squares is computed as matrix products.
"""

import tensorflow as tf


def pool_windows(x: tf.Tensor, extent: int, cells: int) -> tf.Tensor:
    """Divides a map into windows, each into cells, and averages over each cell.

    Windows begin at multiples of `extent`; the last one ends with the map. A side of
    `size` positions has `min(size, cells)` cells of nearly equal sizes: cell i of n
    covers the positions from `floor(i * size / n)` to `ceil((i + 1) * size / n)`, so
    that neighbouring cells may share one. Cells that a short window lacks are zero.

    Args:
        x: float `(b, h, w, c)`.
        extent: int, the side of a window, at least `cells`.
        cells: int, those of a window along a side.

    Returns:
        float `(b, n, cells, m, cells, c)`, n by m windows.
    """
    weights = [_cells(size, extent, cells) for size in tf.unstack(tf.shape(x)[1:3])]
    pooled = _both_axes(x, *weights)
    batch, rows, columns, _ = tf.unstack(tf.shape(pooled))
    shape = [batch, rows // cells, cells, columns // cells, cells, x.shape[-1]]
    return tf.reshape(pooled, shape)


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


def window_sizes(size: tf.Tensor, extent: int) -> tf.Tensor:
    """Positions of each window along a side of a map, int32 `(n,)`."""
    starts = tf.range(0, size, extent)
    return tf.minimum(size - starts, extent)


def spread(x: tf.Tensor, rows, columns, extent: int) -> tf.Tensor:
    """Interpolates linearly between the centres of windows, constant beyond them.

    The last window counts as a whole one, even if the map ends inside.

    Args:
        x: float `(b, n, m, c)`, one value for each window.
        rows: int, positions over the n windows.
        columns: int, positions over the m windows.
        extent: int, the side of a window.

    Returns:
        float `(b, rows, columns, c)`.
    """
    height, width = tf.unstack(tf.shape(x)[1:3])
    return _both_axes(x, _hats(height, rows, extent), _hats(width, columns, extent))


def _both_axes(x: tf.Tensor, down: tf.Tensor, across: tf.Tensor) -> tf.Tensor:
    """Multiplies columns by `down`, `(rows, h)`, and rows by `across`."""
    batch, height, width, _ = tf.unstack(tf.shape(x))
    channels, rows, columns = x.shape[-1], tf.shape(down)[0], tf.shape(across)[0]
    lines = tf.reshape(x, [batch, height, width * channels])
    lines = tf.matmul(tf.cast(down, x.dtype), lines)
    lines = tf.reshape(lines, [batch * rows, width, channels])
    lines = tf.matmul(tf.cast(across, x.dtype), lines)
    return tf.reshape(lines, [batch, rows, columns, channels])


def _cells(size, extent, cells) -> tf.Tensor:
    """Weights `(n * cells, size)` of the mean over each cell of each window."""
    sizes = tf.repeat(window_sizes(size, extent), cells)
    counts = tf.minimum(sizes, cells)
    index = tf.range(tf.size(sizes))
    window, cell = index // cells * extent, index % cells
    start = window + cell * sizes // counts
    stop = window - (-(cell + 1) * sizes // counts)
    position = tf.range(size)
    inside = (start[:, None] <= position) & (position < stop[:, None])
    inside &= (cell < counts)[:, None]
    return tf.cast(inside, tf.float64) / tf.cast(stop - start, tf.float64)[:, None]


def _hats(windows, size, extent) -> tf.Tensor:
    """Weights `(size, windows)` of linear interpolation between windows."""
    window = tf.range(windows, dtype=tf.float64)
    position = tf.range(size, dtype=tf.float64)[:, None] + 0.5
    last = tf.cast(windows, tf.float64) - 1
    centre = tf.clip_by_value(position / extent - 0.5, 0.0, last)
    return tf.nn.relu(1 - tf.abs(centre - window))
