"""Integers of any mixture as binary decisions, coded with one fixed table.

The range coder's table is fixed, but every mixture has a distribution of its own. So an
integer is coded in 8 binary decisions, which halve a window of 256 integers around the
mixture's centre. A decision needs one probability, and the table has a row for each of
2**12 probabilities. Both ends of the window stand for all integers beyond.
"""

from typing import Callable, NamedTuple

import numpy as np
import tensorflow as tf

from tf_imgcomp.entropy_coding import integer_mixture
from tf_imgcomp.entropy_coding.integer_mixture import (
    ONE_BITS,
    IntegerMixture,
    cumulative,
)
from tf_imgcomp.entropy_coding.range_coder import PRECISION
from tf_imgcomp.entropy_coding.symbol_streams import (
    FIRST_ROWS,
    FIRST_TABLE,
    SymbolReader,
    get_escaped,
    put,
    put_escaped,
)
from tf_imgcomp.entropy_coding.tables import Functions, Tables

_DECISIONS = 8
_HALF = 1 << _DECISIONS - 1  # Places below the centre.
_REACH = _HALF - 2  # Places farther out stand for all integers beyond.

_SHARE_BITS = 12  # A probability of "upper half" is one of 2**12.
_SHARES = 1 << _SHARE_BITS
_PROBABILITY_OFFSET = 1 << ONE_BITS - 18  # Added to the probability of every place.


class DecisionTables(tf.Module):
    """Rows and sampled functions as a model keeps them.

    Args:
        certain_bits: see `LatentCoderConfig`.
        more: int32 rows to put after those of decisions.

    Attributes:
        size: int. How many rows come before `more`.
    """

    def __init__(self, certain_bits: float, more: np.ndarray):
        super().__init__(name="decisions")
        self._certain_bits = certain_bits
        self.functions = Tables()
        rows = np.concatenate([FIRST_TABLE, _sample_rows().ravel(), more])
        self.rows = tf.Variable(rows.astype(np.int32), trainable=False)
        self.size = FIRST_ROWS + _SHARES

    def read(self) -> "DecisionRows":
        """The tables as tensors."""
        functions, rows = self.functions.read(), self.rows.value()
        return DecisionRows(functions, rows, self._certain_bits)


def _sample_rows() -> np.ndarray:
    """Rows `(2**12, 4)` of two symbols, "lower" and "upper half"."""
    upper = (np.arange(_SHARES) + 0.5) * 2.0 ** (PRECISION - _SHARE_BITS)
    end = np.full(_SHARES, 1 << PRECISION)
    return np.stack([end * 0 + PRECISION, end * 0, end - upper, end], axis=1)


class DecisionRows(NamedTuple):
    """See `symbol_coding.Rows`.

    Attributes:
        functions: the sampled functions.
        table: int32, as the range coder takes it.
        certain_bits: see `LatentCoderConfig`.
    """

    functions: Functions
    table: tf.Tensor
    certain_bits: float
    symbols_per_integer = _DECISIONS

    def are_skipped(self, parameters: list) -> tf.Tensor:
        """See `symbol_coding.Rows`."""
        return integer_mixture.are_skipped(
            self.functions, self.certain_bits, *_by_role(parameters)
        )

    def elements(self, parameters: list) -> "DecisionElements":
        """See `symbol_coding.Rows`."""
        mixture = integer_mixture.make_mixture(self.functions, *_by_role(parameters))
        return DecisionElements(self.functions, mixture)


class DecisionElements(NamedTuple):
    """See `symbol_coding.Elements`.

    Attributes:
        functions: the sampled functions.
        mixture: of m elements.
    """

    functions: Functions
    mixture: IntegerMixture

    def choose(self, y: tf.Tensor, bits_per_error: float) -> tuple:
        y = tf.cast(y, tf.float64)
        offsets = integer_mixture.choose_integers(
            self.functions, self.mixture, y, bits_per_error
        )
        return (offsets,), tf.cast(self.mixture.centre + offsets, tf.float32)

    def write(self, log: tf.Tensor, choice: tuple) -> tf.Tensor:
        (offsets,) = choice
        places = tf.clip_by_value(offsets, -_REACH - 1, _REACH + 1) + _HALF

        def decide(log, numbers, middle):
            are_upper = places >= middle
            return put(log, numbers, tf.cast(are_upper, tf.int32)), are_upper

        log, _ = self._search(log, decide)
        return put_escaped(log, offsets, _REACH)

    def read(self, reader: SymbolReader, tiles) -> tuple:
        def decide(reader, numbers, middle):
            reader, symbols = reader.get(numbers, tiles)
            return reader, symbols > 0

        reader, places = self._search(reader, decide)
        reach = tf.fill(tf.shape(places), tf.cast(_REACH, places.dtype))
        reader, offsets = get_escaped(reader, places - _HALF, reach, tiles)
        return reader, tf.cast(self.mixture.centre + offsets, tf.float32)

    def _search(self, state, decide: Callable) -> tuple:
        """Halves the window of each element until one place is left.

        Args:
            state: a log of symbols or a reader.
            decide: function of the state, numbers of rows, int32 `(m,)`, and the lowest
                places of the upper halves, float64 `(m,)`. Writes or reads whether it
                is the upper half; returns the state and that, bool `(m,)`.

        Returns:
            The state, and places, float64 `(m,)`.
        """
        low = tf.zeros_like(self.mixture.centre)
        whole = (1 << ONE_BITS) + 2 * _HALF * _PROBABILITY_OFFSET
        low_share, high_share = low, low + whole
        for bit in reversed(range(_DECISIONS)):
            middle = low + (1 << bit)
            share = cumulative(self.functions, self.mixture, middle - _HALF - 1)
            share += middle * _PROBABILITY_OFFSET
            numbers = find_rows(high_share - share, high_share - low_share)
            state, are_upper = decide(state, numbers, middle)
            low = tf.where(are_upper, middle, low)
            low_share = tf.where(are_upper, share, low_share)
            high_share = tf.where(are_upper, high_share, share)
        return state, low


def find_rows(upper: tf.Tensor, both: tf.Tensor) -> tf.Tensor:
    """Rows for decisions with these probabilities, float64 integers; int32."""
    # The half keeps a quotient away from integers: its own rounding cannot matter.
    share = tf.floor((upper * _SHARES + 0.5) / both)
    return FIRST_ROWS + tf.cast(tf.minimum(share, _SHARES - 1), tf.int32)


def _by_role(parameters: list) -> list:
    """Logits, offsets and log2 scales, float32 `(K, n)` each."""
    return tf.split(tf.stack(parameters), 3)
