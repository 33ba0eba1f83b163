"""Rows of frequencies made beforehand, for Gaussians that share a mean.

Then a mean, a scale and, of two Gaussians, a weight say all of an element, and only the
fraction of the mean matters to its row. Fraction, scale and weight are rounded finely
enough to cost a thousandth of the bits, the rows of all combinations are sampled once
from floats and saved with the model, and what is left to coding is to find a row's
number, in exact numbers as in `integer_mixture`.
"""

import math
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tf_imgcomp.entropy.fixed_point import PARAMETER_BITS, clip
from tf_imgcomp.entropy.integer_mixture import (
    OFFSET_MAX,
    are_certain,
    is_nearer_better,
)
from tf_imgcomp.entropy.mixture import LOG2_SCALE_MAX, LOG2_SCALE_MIN
from tf_imgcomp.entropy.tables import (
    FILLER,
    ONE,
    PRECISION,
    sample_scales,
    scale_index,
)
from tf_imgcomp.ops.rounding import round_half_up

# How finely elements are told apart.
_SCALES_PER_OCTAVE = 8
_LEVEL_SHIFT = PARAMETER_BITS - 3
_COARSE_OCTAVE = 5  # From here on, a deviation of 2, two neighbouring scales are one.
_FRACTIONS_MAX = 32  # Of a mean, ...
_FRACTIONS_PER_DEVIATION = 8  # ... fewer where this is enough.
_WEIGHTS = 16
_WEIGHT_LOGIT_MAX = 4.0

_REACH = 4.0  # Deviations of the wider Gaussian that a row holds, ...
_HALF_WIDTH_MAX = 127  # ... if these are not more integers to either side.

# Rows are kept in 16 bits: in place of what does not fit, the two largest numbers,
# which no frequency is.
_HEAD, _END = (1 << PRECISION) - 2, (1 << PRECISION) - 1


class TiedTables(tf.Module):
    """All rows as a model keeps them.

    Args:
        components: int. Gaussians of an element, 1 or 2.
    """

    def __init__(self, components: int):
        super().__init__(name="tables")
        levels, rows = _sample(components)
        self.scale = tf.Variable(sample_scales(), trainable=False)
        self.levels = tf.Variable(levels, trainable=False)
        self.rows = tf.Variable(rows, trainable=False)

    def read(self) -> "TiedRows":
        """The same for use."""
        scale = tf.cast(self.scale, tf.float64)
        half_step = tf.cast(tf.floor(ONE * ONE / 2 / scale), tf.float32)
        rows = tf.cast(self.rows, tf.int32)
        rows = tf.where(tf.equal(rows, _HEAD), -PRECISION, rows)
        rows = tf.where(tf.equal(rows, _END), 1 << PRECISION, rows)
        levels = tf.cast(self.levels, tf.float32)
        return TiedRows(half_step, scale, levels, rows)


class TiedRows(NamedTuple):
    """All rows, and the functions that find one.

    Attributes:
        half_step_table: for every log2 scale how many deviations half a quantizer step
            is, float32 integers, 10 fraction bits.
        scale_table: for every log2 scale the scale, float64 integers, 10 fraction bits.
        levels: for every level of scales into how many fractions it divides a mean, how
            far its rows reach, the number of the first one and where it starts in
            `rows`; float32 `(levels, 4)`.
        rows: int32, as the range coder takes them. The first is `FILLER`.
    """

    half_step_table: tf.Tensor
    scale_table: tf.Tensor
    levels: tf.Tensor
    rows: tf.Tensor

    def are_zero(self, parameters: list) -> tf.Tensor:
        """See `coding.Rows`."""
        *logits, offsets, log2_scales = parameters
        half_step = tf.gather(self.half_step_table, scale_index(log2_scales))
        deviations = half_step - tf.abs(offsets)
        logits = [tf.zeros_like(offsets), *logits]
        widths = [2.0**-k for k in range(len(logits))]
        return are_certain(logits, [deviations * width for width in widths])

    def elements(self, parameters: list) -> "TiedElements":
        """See `coding.Rows`."""
        return TiedElements(self, parameters)


class TiedElements:
    """See `coding.Elements`.

    Args:
        tables: all rows.
        parameters: K + 1 of them, see `coding.Rows`.
    """

    def __init__(self, tables: TiedRows, parameters: list):
        # Means and centres take more than 24 bits, all else is less.
        self._rows = tables.rows
        *logits, offsets, log2_scales = parameters
        index = scale_index(log2_scales)
        offsets = tf.cast(clip(offsets, -OFFSET_MAX, OFFSET_MAX), tf.float64)
        mean = tf.floor(offsets * tf.gather(tables.scale_table, index) / ONE)
        self._centre = round_half_up(mean / ONE)
        fraction = tf.cast(mean - self._centre * ONE, tf.float32) + ONE / 2
        level = tf.bitwise.right_shift(index + (1 << _LEVEL_SHIFT - 1), _LEVEL_SHIFT)
        level = tf.gather(tables.levels, level)
        fractions, self._half_widths, first, start = tf.unstack(level, axis=1)
        number = tf.floor(fraction * fractions / ONE)
        for logit in logits:
            limit = _WEIGHT_LOGIT_MAX * ONE
            weight = (clip(logit, -limit, limit - 1) + limit) * (_WEIGHTS / 2 / limit)
            number = number * _WEIGHTS + tf.floor(weight)
        self._numbers = tf.cast(first + number, tf.int32)
        self._starts = start + number * (2 * self._half_widths + 4)

    def encoding(self, y: tf.Tensor) -> tuple:
        y = tf.cast(y - self._centre, tf.float32)
        nearest = round_half_up(y)
        nearer = nearest - tf.sign(nearest)
        # Of every symbol in every row; those of no row are never looked at.
        frequencies = tf.cast(self._rows[1:] - self._rows[:-1], tf.float32)
        middle = self._starts + 1 + self._half_widths
        inside = tf.abs(nearest) <= self._half_widths
        gained, lost = (
            tf.gather(frequencies, tf.cast(middle + offset, tf.int32))
            for offset in (tf.where(inside, o, 0) for o in (nearer, nearest))
        )
        # Outside of the row nothing is chosen.
        better = inside & is_nearer_better(y, nearest, nearer, gained, lost)
        offsets = tf.where(better, nearer, nearest)
        symbols = tf.cast(offsets + self._half_widths, tf.int32)
        values = self._centre + tf.cast(offsets, tf.float64)
        return self._rows, self._numbers, symbols, values

    def decoding(self) -> tuple:
        first = self._centre - tf.cast(self._half_widths, tf.float64)
        return self._rows, self._numbers, first


def _sample(components: int) -> tuple:
    """`TiedRows.levels`, int32, and its rows as they are kept, uint16."""
    levels, rows = [], [np.array([_HEAD, 0, FILLER[2], _END])]
    number, start = 1, 4
    octaves = LOG2_SCALE_MAX - LOG2_SCALE_MIN
    for level in range(int(octaves) * _SCALES_PER_OCTAVE + 1):
        is_coarse = level >= _COARSE_OCTAVE * _SCALES_PER_OCTAVE
        if is_coarse and level % 2:
            levels.append(levels[-1])
            continue
        octave = (level + is_coarse / 2) / _SCALES_PER_OCTAVE
        scale = 2.0 ** (LOG2_SCALE_MIN + octave)
        enough = 2.0 ** math.ceil(math.log2(_FRACTIONS_PER_DEVIATION / scale))
        fractions = int(min(max(enough, 1), _FRACTIONS_MAX))
        reach = _REACH * scale * 2 ** (components - 1)
        half_width = min(math.ceil(reach), _HALF_WIDTH_MAX)
        levels.append((fractions, half_width, number, start))
        made = _sample_rows(scale, fractions, half_width, components)
        rows.append(made.ravel())
        number, start = number + len(made), start + made.size
    return np.array(levels, np.int32), np.concatenate(rows).astype(np.uint16)


def _sample_rows(
    scale: float, fractions: int, half_width: int, components: int
) -> np.ndarray:
    """Rows `(fractions [* weights], 2 * half_width + 4)` of one scale."""
    means = (np.arange(fractions)[:, None, None] + 0.5) / fractions - 0.5
    numbers = np.arange(2 * half_width + 1)
    distances = (numbers - half_width + 0.5 - means) / scale
    shares = _phi(distances)
    if components > 1:
        step = 2 * _WEIGHT_LOGIT_MAX / _WEIGHTS
        logits = (np.arange(_WEIGHTS)[:, None] + 0.5) * step - _WEIGHT_LOGIT_MAX
        shares = shares + (_phi(distances / 2) - shares) / (1 + np.exp(-logits))
    free = _HEAD - 1 - len(numbers)
    rows = np.floor(shares * free) + numbers + 1
    rows = np.pad(rows.reshape(-1, len(numbers)), [(0, 0), (2, 1)])
    rows[:, 0], rows[:, -1] = _HEAD, _END
    return rows


_phi = np.vectorize(lambda x: 0.5 * math.erfc(-x / math.sqrt(2)))
