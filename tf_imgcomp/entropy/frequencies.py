"""From mixtures to rows of cumulative frequencies, made while coding.

An element's symbols are the integers in a window around its centre and the escape, for
all others. Each has a frequency of at least 1; the rest of 2**16 is shared out by
probability. A decoder needs all of a window, an encoder the interval of one symbol.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tf_imgcomp.entropy import integer_mixture
from tf_imgcomp.entropy.integer_mixture import (
    ONE_BITS,
    IntegerMixture,
    Intervals,
    cumulative,
)
from tf_imgcomp.entropy.tables import FILLER, PRECISION, Functions

# Half-widths of the windows of integers that get a frequency of their own. Beyond the
# window a symbol escapes to an Elias gamma code.
HALF_WIDTHS = (1, 2, 3, 5, 8, 14, 30, 127)
_WINDOW_OF_REACH = np.searchsorted(HALF_WIDTHS[:-1], np.arange(HALF_WIDTHS[-2] + 2))


class MixtureRows(NamedTuple):
    """Makes the rows of any mixture.

    Attributes:
        functions: the sampled functions.
    """

    functions: Functions

    def are_zero(self, parameters: list) -> tf.Tensor:
        """See `coding.Rows`."""
        return integer_mixture.are_zero(self.functions, *_by_role(parameters))

    def elements(self, parameters: list) -> "MixtureElements":
        """See `coding.Rows`."""
        return MixtureElements(self.functions, parameters)


class MixtureElements:
    """See `coding.Elements`.

    Args:
        functions: the sampled functions.
        parameters: 3 * K of them, see `coding.Rows`.
    """

    def __init__(self, functions: Functions, parameters: list):
        self._functions = functions
        self._mixture = integer_mixture.make_mixture(functions, *_by_role(parameters))
        self._windows, self._half_widths = half_widths(self._mixture)
        self._numbers = tf.range(1, tf.size(self._windows) + 1)

    def encoding(self, y: tf.Tensor) -> tuple:
        intervals = integer_mixture.choose_integers(
            self._functions, self._mixture, self._half_widths, y
        )
        rows, symbols = one_symbol(intervals, self._half_widths)
        values = self._mixture.centre + intervals.offsets
        return _joined([rows]), self._numbers, symbols, values

    def decoding(self) -> tuple:
        # By width: a narrow distribution does not pay for a wide window.
        groups = tf.dynamic_partition(self._numbers, self._windows, len(HALF_WIDTHS))
        rows = [
            all_symbols(self._functions, self._mixture.select(group - 1), half_width)
            for half_width, group in zip(HALF_WIDTHS, groups)
        ]
        order = tf.concat([[0], *groups], axis=0)
        numbers = tf.math.invert_permutation(order)[1:]
        return _joined(rows), numbers, self._mixture.centre - self._half_widths


def _by_role(parameters: list) -> list:
    """Logits, offsets and log2 scales, float32 `(K, n)` each."""
    return tf.split(tf.stack(parameters), 3)


def _joined(rows: list) -> tf.Tensor:
    """The filler, and rows one after the other."""
    return tf.concat([FILLER, *(tf.reshape(row, [-1]) for row in rows)], axis=0)


def half_widths(mixture: IntegerMixture) -> tuple:
    """Of the windows that hold the reach of n mixtures.

    Returns:
        Indexes in `HALF_WIDTHS`, int32 `(n,)`, and what is there, float64 `(n,)`.
    """
    reach = tf.cast(tf.minimum(mixture.reach, len(_WINDOW_OF_REACH) - 1), tf.int32)
    windows = tf.constant(_WINDOW_OF_REACH, tf.int32)
    widths = tf.constant(np.take(HALF_WIDTHS, _WINDOW_OF_REACH), tf.float64)
    return tf.gather(windows, reach), tf.gather(widths, reach)


def all_symbols(
    functions: Functions, mixture: IntegerMixture, half_width: int
) -> tf.Tensor:
    """Rows of all symbols, `centre - half_width` and up, then the escape.

    Returns:
        int32 `(n, 2 * half_width + 4)`: the negative precision, which turns escapes
        on, then strictly increasing frequencies from 0 to 2**16.
    """
    edges = tf.range(-half_width, half_width + 1, dtype=tf.float64)[None]
    shares = cumulative(functions, mixture, edges)
    return _rows(_frequencies(shares, edges, half_width))


def one_symbol(intervals: Intervals, half_widths: tf.Tensor) -> tuple:
    """Rows that hold only what it takes to encode one integer each.

    Args:
        intervals: n integers.
        half_widths: float64 `(n,)`, of their windows.

    Returns:
        Rows int32 `(n, 5)` of two symbols and the escape; and symbols int32 `(n,)`.
        In them an integer has the interval of frequencies and, if it escapes, the
        distance from the window that it has in `all_symbols`: it is encoded to the
        same bits.
    """
    offsets, low, high = intervals
    outside = offsets - tf.clip_by_value(offsets, -half_widths, half_widths)
    upper = tf.where(tf.equal(outside, 0), offsets, half_widths)
    high = _frequencies(high, upper, half_widths)
    low = _frequencies(low, upper - 1, half_widths)
    # The window's first symbol starts at 0 and so is the first here, others the second.
    is_first = tf.equal(upper, -half_widths)
    first = tf.cast(is_first, tf.float64)
    rows = _rows(tf.stack([tf.where(is_first, high, low), high + first], axis=1))
    symbols = tf.where(outside < 0, outside, outside + 1 - first)
    return rows, tf.cast(symbols, tf.int32)


def _frequencies(shares: tf.Tensor, edges: tf.Tensor, half_widths) -> tf.Tensor:
    """Cumulative frequencies at upper edges of symbols, float64 integers."""
    free = (1 << PRECISION) - 2 - 2 * half_widths
    return tf.floor(shares * (free * 2.0**-ONE_BITS)) + (edges + half_widths + 1)


def _rows(frequencies: tf.Tensor) -> tf.Tensor:
    """What the range coder takes, from the frequencies between 0 and 2**16."""
    rows = tf.pad(tf.cast(frequencies, tf.int32), [[0, 0], [2, 1]])
    inner = [0] * frequencies.shape[1]
    return rows + tf.constant([-PRECISION, 0, *inner, 1 << PRECISION])
