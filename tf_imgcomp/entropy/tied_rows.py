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
        self._components = components
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
        levels = tf.cast(self.levels, tf.float64)
        return TiedRows(self._components, half_step, scale, levels, rows)


class TiedRows(NamedTuple):
    """All rows, and the functions that find one.

    Attributes:
        components: Gaussians of an element, K.
        half_step_table: for every log2 scale how many deviations half a quantizer step
            is, float32 integers, 10 fraction bits.
        scale_table: for every log2 scale the scale, float64 integers, 10 fraction bits.
        levels: for every level of scales into how many fractions it divides a mean, how
            far its rows reach, the number of the first one and where it starts in
            `rows`; float64 `(levels, 4)`.
        rows: int32, as the range coder takes them. The first is `FILLER`.
    """

    components: int
    half_step_table: tf.Tensor
    scale_table: tf.Tensor
    levels: tf.Tensor
    rows: tf.Tensor

    def are_zero(self, parameters: tf.Tensor) -> tf.Tensor:
        """See `coding.Rows`."""
        logits, offsets, log2_scales = self.unstack(parameters)
        half_step = tf.gather(self.half_step_table, scale_index(log2_scales))
        deviations = half_step - tf.abs(offsets)
        logits = [tf.zeros_like(offsets), *logits]
        widths = [2.0**-k for k in range(len(logits))]
        return are_certain(
            tf.stack(logits), tf.stack([deviations * width for width in widths])
        )

    def unstack(self, parameters: tf.Tensor) -> tuple:
        """K - 1 logits, the offset and the log2 scale of every element, `(n,)` each."""
        *logits, offsets, log2_scales = tf.unstack(parameters, self.components + 1)
        return logits, offsets, log2_scales

    def elements(self, parameters: tf.Tensor) -> "TiedElements":
        """See `coding.Rows`."""
        return TiedElements(self, parameters)


class TiedElements:
    """See `coding.Elements`.

    Args:
        tables: all rows.
        parameters: float32 `(K + 1, m)`, see `coding.Rows`.
    """

    def __init__(self, tables: TiedRows, parameters: tf.Tensor):
        self._rows = tables.rows
        logits, offsets, log2_scales = tables.unstack(parameters)
        index = scale_index(log2_scales)
        offsets = tf.cast(clip(offsets, -OFFSET_MAX, OFFSET_MAX), tf.float64)
        mean = tf.floor(offsets * tf.gather(tables.scale_table, index) / ONE)
        self._centre = round_half_up(mean / ONE)
        fraction = mean - self._centre * ONE + ONE / 2
        level = tf.bitwise.right_shift(index + (1 << _LEVEL_SHIFT - 1), _LEVEL_SHIFT)
        level = tf.gather(tables.levels, level)
        fractions, self._half_widths, first, start = tf.unstack(level, axis=1)
        number = tf.floor(fraction * fractions / ONE)
        for logit in logits:
            limit = _WEIGHT_LOGIT_MAX * ONE
            weight = (clip(logit, -limit, limit - 1) + limit) * (_WEIGHTS / 2 / limit)
            number = number * _WEIGHTS + tf.cast(tf.floor(weight), tf.float64)
        self._numbers = tf.cast(first + number, tf.int32)
        self._starts = start + number * (2 * self._half_widths + 4)

    def encoding(self, y: tf.Tensor) -> tuple:
        half_widths = self._half_widths
        y -= self._centre
        nearest = round_half_up(y)
        nearer = nearest - tf.sign(nearest)
        # The two are neighbours, and so are their edges. Outside of the row nothing
        # is chosen.
        outside = tf.abs(nearest) > half_widths
        left = tf.where(outside, half_widths - 1, tf.minimum(nearest, nearer))
        edge = tf.cast(self._starts + 1 + half_widths + left, tf.int32)
        edges = [tf.gather(self._rows, edge + step) for step in range(3)]
        first, middle, last = (tf.cast(edge, tf.float32) for edge in edges)
        is_left = tf.equal(nearer, left)
        gained = tf.where(is_left, middle - first, last - middle)
        lost = tf.where(is_left, last - middle, middle - first)
        better = ~outside & is_nearer_better(y, nearest, nearer, gained, lost)
        offsets = tf.where(better, nearer, nearest)
        symbols = tf.cast(offsets + half_widths, tf.int32)
        return self._rows, self._numbers, symbols, self._centre + offsets

    def decoding(self) -> tuple:
        return self._rows, self._numbers, self._centre - self._half_widths


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
