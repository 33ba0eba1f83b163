"""Precomputed rows of frequencies, for Gaussians that share a mean.

Such an element has a mean, a scale and, with two Gaussians, a weight. Its row depends
on the fraction of the mean, the scale and the weight, which are quantized finely enough
to cost a thousandth of the bits. The rows of all combinations are sampled once from
floats and saved with the model. Coding finds the number of a row, in exact numbers as
in `integer_mixture`.
"""

import math
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from scipy.special import ndtr

from tf_imgcomp.entropy.mixture import LOG2_SCALE_MAX, LOG2_SCALE_MIN
from tf_imgcomp.entropy_coding import integer_mixture
from tf_imgcomp.entropy_coding.integer_mixture import OFFSET_MAX, is_nearer_better
from tf_imgcomp.entropy_coding.integer_networks import PARAMETER_BITS, clip
from tf_imgcomp.entropy_coding.range_coder import PRECISION, packed, unpacked
from tf_imgcomp.entropy_coding.symbol_streams import (
    FIRST_ROWS,
    FIRST_TABLE,
    SymbolReader,
    get_escaped,
    put,
    put_escaped,
    scatter_into_zeros,
)
from tf_imgcomp.entropy_coding.tables import ONE, sample_scales, scale_index
from tf_imgcomp.ops.rounding import round_half_up

# How finely parameters are quantized.
_SCALES_PER_OCTAVE = 8
_LEVEL_SHIFT = PARAMETER_BITS - 3
_COARSE_OCTAVE = 5  # From here on, a deviation of 2, two neighbouring scales are one.
# A mean has this many fractions of an integer for each deviation, up to the maximum.
_FRACTIONS_PER_DEVIATION, _FRACTIONS_MAX = 8, 32
_WEIGHTS = 16
_WEIGHT_LOGIT_MAX = 4.0

# A row holds this many deviations of the wider Gaussian to either side, and integers up
# to the maximum.
_REACH, _HALF_WIDTH_MAX = 4.0, 127
_ESCAPE_FREQUENCY = 4  # At least, of all integers outside of the row.


class TiedTables(tf.Module):
    """All rows as a model keeps them.

    Args:
        components: int. Gaussians of an element, 1 or 2.
        certain_bits: see `LatentCoderConfig`.
        more: int32 rows to put after them.

    Attributes:
        size: int. How many rows come before `more`.
    """

    def __init__(self, components: int, certain_bits: float, more: np.ndarray):
        super().__init__(name="tables")
        self._certain_bits = certain_bits
        levels, rows, self.size = _sample(components)
        rows = packed(np.concatenate([rows, more]))
        self.scale = tf.Variable(sample_scales(), trainable=False)
        self.levels = tf.Variable(levels, trainable=False)
        self.rows = tf.Variable(rows, trainable=False)

    def read(self) -> "TiedRows":
        """The tables as tensors."""
        scale = tf.cast(self.scale, tf.float64)
        half_step = tf.cast(tf.floor(ONE * ONE / 2 / scale), tf.float32)
        levels = tf.cast(self.levels, tf.float32)
        rows = unpacked(self.rows)
        return TiedRows(half_step, scale / ONE**2, levels, rows, self._certain_bits)


class TiedRows(NamedTuple):
    """All rows, and the functions that find one.

    Attributes:
        half_step_table: for every log2 scale how many deviations half a quantizer step
            is, float32 integers, 10 fraction bits.
        scale_table: for every log2 scale the scale times 2**-10, as offsets have 10
            fraction bits; float64, multiples of 2**-20.
        levels: for every level of scales the number of fractions of a mean, the half
            width of its rows, the number of its first row and where that starts in
            `table`; float32 `(levels, 4)`.
        table: int32, as the range coder takes them.
        certain_bits: see `LatentCoderConfig`.
    """

    half_step_table: tf.Tensor
    scale_table: tf.Tensor
    levels: tf.Tensor
    table: tf.Tensor
    certain_bits: float
    symbols_per_integer = 1

    def are_skipped(self, parameters: list) -> tf.Tensor:
        """See `symbol_coding.Rows`."""
        *logits, offsets, log2_scales = parameters
        half_step = tf.gather(self.half_step_table, scale_index(log2_scales))
        enough = enough_deviations(self.certain_bits, *logits)
        return half_step - tf.abs(offsets) >= enough

    def elements(self, parameters: list) -> "TiedElements":
        """See `symbol_coding.Rows`."""
        return find_rows(self, parameters)


def enough_deviations(certain_bits: float, logit=None):
    """The distance, in deviations, from a mean to 1/2 that makes 0 almost certain.

    As in `integer_mixture.are_skipped`. The second Gaussian is twice as wide; its
    influence falls with its weight.

    Args:
        certain_bits: see `LatentCoderConfig`.
        logit: of the second Gaussian, float32 `(n,)` with 10 fraction bits; or None.

    Returns:
        float32 `(n,)` or a float; integers with 10 fraction bits, times a power of two,
        so that they are exact.
    """
    deviations = integer_mixture.certain_deviations(certain_bits)
    enough = float(math.ceil(deviations * ONE))
    if logit is None:
        return enough
    return clip(2 * enough + 0.5625 * logit, enough, 2 * enough)


class TiedElements(NamedTuple):
    """See `symbol_coding.Elements`.

    Attributes:
        table: as in `TiedRows`.
        numbers: of the elements' rows, int32 `(m,)`.
        starts: where the rows start in the table, float32 `(m,)`.
        half_widths: symbols below the middle one of each row, float32 `(m,)`.
        centres: the middle symbols' values, float32 `(m,)`.
    """

    table: tf.Tensor
    numbers: tf.Tensor
    starts: tf.Tensor
    half_widths: tf.Tensor
    centres: tf.Tensor

    def choose(self, y: tf.Tensor, bits_per_error: float) -> tuple:
        # Most latents round to the centre of their row, without an alternative.
        is_off = tf.not_equal(round_half_up(y - self.centres), 0)
        off = tf.cast(tf.where(is_off)[:, 0], tf.int32)
        some = TiedElements(self.table, *(tf.gather(kind, off) for kind in self[1:]))
        chosen = choose_integers(some, tf.gather(y, off), bits_per_error)
        values = self.centres + scatter_into_zeros(chosen, off, tf.size(y))
        return (off, chosen, some.half_widths), values

    def write(self, log: tf.Tensor, choice: tuple) -> tf.Tensor:
        off, chosen, reach = choice
        symbols = tf.where(tf.abs(chosen) > reach, reach + 1, chosen)
        symbols = (
            scatter_into_zeros(symbols, off, tf.size(self.numbers)) + self.half_widths
        )
        log = put(log, self.numbers, tf.cast(symbols, tf.int32))
        return put_escaped(log, chosen, reach)

    def read(self, reader: SymbolReader, tiles) -> tuple:
        reader, symbols = reader.get(self.numbers, tiles)
        offsets = tf.cast(symbols, tf.float32) - self.half_widths
        reader, offsets = get_escaped(reader, offsets, self.half_widths, tiles)
        return reader, self.centres + offsets


def find_rows(rows: TiedRows, parameters: list) -> TiedElements:
    """Finds the table row of each element from its mean, scale and weight."""
    *logits, offsets, log2_scales = parameters
    index = scale_index(log2_scales)
    # Means have 36 bits, what follows less than 24.
    offsets = tf.cast(clip(offsets, -OFFSET_MAX, OFFSET_MAX), tf.float64)
    means = offsets * tf.gather(rows.scale_table, index) + 0.5
    centres = tf.floor(means)
    fraction = tf.cast(means - centres, tf.float32)
    centres = tf.cast(centres, tf.float32)
    level = tf.bitwise.right_shift(index + (1 << _LEVEL_SHIFT - 1), _LEVEL_SHIFT)
    level = tf.gather(rows.levels, level)
    fractions, half_widths, first, start = tf.unstack(level, axis=1)
    number = tf.floor(fraction * fractions)
    for logit in logits:
        limit = _WEIGHT_LOGIT_MAX * ONE
        weight = (clip(logit, -limit, limit - 1) + limit) * (_WEIGHTS / 2 / limit)
        number = number * _WEIGHTS + tf.floor(weight)
    numbers = tf.cast(first + number, tf.int32)
    starts = start + number * (2 * half_widths + 4)
    return TiedElements(rows.table, numbers, starts, half_widths, centres)


def choose_integers(
    elements: TiedElements, y: tf.Tensor, bits_per_error: float
) -> tf.Tensor:
    """Quantizes each element; see `integer_mixture.choose_integers`.

    Args:
        elements: m elements.
        y: float32 `(m,)`, in quantizer steps.
        bits_per_error: see `LatentCoderConfig`.

    Returns:
        float32 `(m,)`, integers relative to the centres.
    """
    y -= elements.centres
    nearest = round_half_up(y)
    step = tf.sign(nearest)
    inside = tf.abs(nearest) <= elements.half_widths
    # The lower one of the two integers.
    lower = tf.where(inside, nearest - tf.maximum(step, 0), 0.0)
    edge = tf.cast(elements.starts + elements.half_widths + lower, tf.int32) + 1
    first, middle, last = (tf.gather(elements.table, edge + k) for k in range(3))
    likelihoods = (tf.cast(f, tf.float32) for f in (middle - first, last - middle))
    better = is_nearer_better(y - nearest, step, *likelihoods, bits_per_error)
    # Outside of the row the nearest integer is coded.
    return tf.where(inside & better, nearest - step, nearest)


def _sample(components: int) -> tuple:
    """`TiedRows.levels`, int32; all rows, and how many there are."""
    levels, rows = [], [FIRST_TABLE]
    number, start = FIRST_ROWS, len(FIRST_TABLE)
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
    return np.array(levels, np.int32), np.concatenate(rows), number


def _sample_rows(
    scale: float, fractions: int, half_width: int, components: int
) -> np.ndarray:
    """Rows `(fractions [* weights], 2 * half_width + 4)` of one scale.

    Their last symbol stands for all integers outside of the row.
    """
    means = (np.arange(fractions)[:, None, None] + 0.5) / fractions - 0.5
    numbers = np.arange(2 * half_width + 1)
    distances = (numbers - half_width + 0.5 - means) / scale
    shares = ndtr(distances)
    if components > 1:
        step = 2 * _WEIGHT_LOGIT_MAX / _WEIGHTS
        logits = (np.arange(_WEIGHTS)[:, None] + 0.5) * step - _WEIGHT_LOGIT_MAX
        shares = shares + (ndtr(distances / 2) - shares) / (1 + np.exp(-logits))
    free = (1 << PRECISION) - _ESCAPE_FREQUENCY - len(numbers)
    rows = np.floor(shares * free) + numbers + 1
    rows = np.pad(rows.reshape(-1, len(numbers)), [(0, 0), (2, 1)])
    rows[:, 0], rows[:, -1] = PRECISION, 1 << PRECISION
    return rows
