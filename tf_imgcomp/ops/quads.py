"""The four positions of each 2x2 square, coded one after the other (Li, Li and Lu 2023,
"Neural Video Compression with Diverse Contexts", section 3.3: the quadtree's squares).

A map `(b, h, w, c)` with even sides splits into four dense maps `(b, h / 2, w / 2, c)`,
one for each position of a square. The second pass sees diagonal neighbours, the third
those at its sides too, the fourth all around it.
"""

from collections.abc import Sequence

import tensorflow as tf

# Row and column in a square, in the order of passes.
POSITIONS = ((0, 0), (1, 1), (0, 1), (1, 0))

_REACH = 2  # Of a window of 5x5.


def split(x: tf.Tensor) -> tuple:
    """Splits a map `(b, h, w, c)` into the positions of each pass."""
    squares = tf.split(tf.nn.space_to_depth(x, 2), 4, axis=-1)
    return tuple(squares[2 * row + column] for row, column in POSITIONS)


def merge(parts: Sequence[tf.Tensor]) -> tf.Tensor:
    """The inverse of `split`."""
    by_position = dict(zip(POSITIONS, parts))
    squares = [by_position[position] for position in sorted(by_position)]
    return tf.nn.depth_to_space(tf.concat(squares, axis=-1), 2)


def neighbours(decoded: Sequence[tf.Tensor]) -> tf.Tensor:
    """The decoded positions in the 5x5 window around each position of the next pass.

    Args:
        decoded: one to three maps `(b, h / 2, w / 2, c)`, of the passes so far.

    Returns:
        Tensor `(b, h / 2, w / 2, n * c)`, zero-padded; n is 4, 12 and 16.
    """
    row, column = POSITIONS[len(decoded)]
    height, width = tf.shape(decoded[0])[1], tf.shape(decoded[0])[2]
    taps = []
    for (i, j), x in zip(POSITIONS, decoded):
        padded = tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]])
        taps += [
            padded[:, down : down + height, right : right + width]
            for down in _shifts(i - row)
            for right in _shifts(j - column)
        ]
    return tf.concat(taps, axis=-1)


def _shifts(distance: int) -> list:
    """Where squares begin that reach into the window, from the square before, 0."""
    return [
        1 + squares for squares in (-1, 0, 1) if abs(2 * squares + distance) <= _REACH
    ]
