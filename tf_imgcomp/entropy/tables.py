"""From integer mixture parameters to rows of cumulative frequencies, in integers.

Numbers are fixed point: a mean with 10 fraction bits counts 1/1024 of a quantizer
step, a log2 scale 1/1024 of an octave. Normal distribution, exponential and power of
two are tables, made once from floats and saved with the model; from then on nothing
is computed from floats.
"""

import math
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tf_imgcomp.entropy.fixed_point import PARAMETER_BITS
from tf_imgcomp.entropy.mixture import LOG2_SCALE_MAX, LOG2_SCALE_MIN

ONE = 1 << PARAMETER_BITS
PRECISION = 16  # Bits of a cumulative frequency; the range coder's most.

_PHI_BITS = 9  # The normal distribution is sampled every 2**-9 deviations ...
_PHI_RANGE = 8  # ... as far as 8 deviations from the mean.
_PHI_ONE_BITS = 19  # Its values are multiples of 2**-19,
_WEIGHT_BITS = 11  # those of the mixture weights of 2**-11: products fit an int32.
_ONE_BITS = _PHI_ONE_BITS + _WEIGHT_BITS

_EXP_STEP_BITS = 3  # exp is sampled at every 8th logit, down to exp(-8).
_EXP_ONE_BITS = 15
_POWER_BITS = 12  # 2 ** -fraction of an octave.
_SCALE_BITS = PARAMETER_BITS

# Half-widths of the windows of integers that get a frequency of their own. Beyond the
# window a symbol escapes to an Elias gamma code.
HALF_WIDTHS = (1, 2, 4, 8, 20, 50, 127)
_REACH = 9  # Half deviations that a window must hold: 4.5, a tail of 7e-6.

# An integer more probable than this is taken for certain and not coded. What that
# saves is the cost of saying nothing a thousand times; what it costs is a distortion
# once in a thousand. `benchmarks/coding.py` measures other values.
CERTAIN = (1 << _ONE_BITS) - (1 << (_ONE_BITS - 10))


class Tables(tf.Module):
    """The sampled functions, int32."""

    def __init__(self, name=None):
        super().__init__(name=name)
        size = _PHI_RANGE << _PHI_BITS
        x = np.arange(-size, size + 1) / (1 << _PHI_BITS)
        phi = [0.5 * math.erfc(-value / math.sqrt(2)) for value in x]
        octave = np.arange(ONE) / ONE
        log2_scale = np.arange(int(LOG2_SCALE_MIN * ONE), int(LOG2_SCALE_MAX * ONE) + 1)
        decay = np.arange((8 * ONE >> _EXP_STEP_BITS) + 1) * (1 << _EXP_STEP_BITS) / ONE
        self.phi = _table(np.asarray(phi), _PHI_ONE_BITS)
        self.inverse_power = _table(2.0**-octave, _POWER_BITS)
        self.scale = _table(2.0 ** (log2_scale / ONE), _SCALE_BITS)
        self.exp = _table(np.exp(-decay), _EXP_ONE_BITS)


def _table(values: np.ndarray, bits: int) -> tf.Variable:
    integers = np.rint(values * (1 << bits)).astype(np.int32)
    return tf.Variable(integers, trainable=False)


class IntegerMixture(NamedTuple):
    """K Gaussians for each of n elements, all int32.

    Attributes:
        weights: `(K, n)`, summing to 2**11 over K.
        means: `(K, n)`, relative to the centre, 10 fraction bits.
        log2_scales: `(K, n)`, 10 fraction bits.
        centre: `(n,)`. The integer nearest to the mean of the mixture.
        reach: `(n,)`. How many integers to either side matter.
    """

    weights: tf.Tensor
    means: tf.Tensor
    log2_scales: tf.Tensor
    centre: tf.Tensor
    reach: tf.Tensor

    def select(self, elements: tf.Tensor) -> "IntegerMixture":
        """The mixtures of some elements, int `(m,)`."""
        return IntegerMixture(*(tf.gather(f, elements, axis=-1) for f in self))


def make_mixture(tables: Tables, logits, offsets, log2_scales) -> IntegerMixture:
    """Mixtures from what the integer networks say, all int32 `(K, n)`, 10 bits."""
    low, high = int(LOG2_SCALE_MIN * ONE), int(LOG2_SCALE_MAX * ONE)
    log2_scales = tf.clip_by_value(log2_scales, low, high)
    scales = tf.gather(tables.scale, log2_scales - low)
    offsets = tf.clip_by_value(offsets, -64 * ONE, 64 * ONE)
    products = tf.cast(offsets, tf.int64) * tf.cast(scales, tf.int64)
    means = tf.cast(tf.bitwise.right_shift(products, PARAMETER_BITS), tf.int32)
    weights = _softmax(tables, logits)
    mean = tf.reduce_sum(tf.cast(weights, tf.int64) * tf.cast(means, tf.int64), axis=0)
    bits = _WEIGHT_BITS + PARAMETER_BITS
    centre = tf.bitwise.right_shift(mean + (1 << (bits - 1)), bits)
    centre = tf.cast(centre, tf.int32)
    means -= centre * ONE
    extent = tf.reduce_max(2 * tf.abs(means) + _REACH * scales, axis=0)
    reach = tf.bitwise.right_shift(extent + ONE, PARAMETER_BITS + 1)
    return IntegerMixture(weights, means, log2_scales, centre, reach)


def _softmax(tables: Tables, logits: tf.Tensor) -> tf.Tensor:
    """Integer weights `(K, n)` that sum to 2**11 exactly."""
    below = tf.reduce_max(logits, axis=0, keepdims=True) - logits
    index = tf.bitwise.right_shift(tf.minimum(below, 8 * ONE), _EXP_STEP_BITS)
    powers = tf.gather(tables.exp, index)
    total = tf.reduce_sum(powers, axis=0, keepdims=True)
    rest = tf.bitwise.left_shift(powers[1:], _WEIGHT_BITS) // total
    first = (1 << _WEIGHT_BITS) - tf.reduce_sum(rest, axis=0, keepdims=True)
    return tf.concat([first, rest], axis=0)


def cumulative(tables: Tables, mixture: IntegerMixture, edges: tf.Tensor) -> tf.Tensor:
    """The mixture's distribution function at `centre + edge + 1/2`.

    Args:
        tables: the sampled functions.
        mixture: n mixtures.
        edges: int32 `(e,)`, ascending.

    Returns:
        int32 `(n, e)`, 0 to 2**30, not descending along a row: Phi's table ascends,
        and weights are not negative.
    """
    # t = (edge + 1/2 - mean) / scale, to 9 bits: the scale's fraction of an octave
    # divides by table, its whole octaves by shifting.
    octaves = tf.bitwise.right_shift(mixture.log2_scales, PARAMETER_BITS)
    fractions = tf.bitwise.bitwise_and(mixture.log2_scales, ONE - 1)
    inverse = tf.gather(tables.inverse_power, fractions)[..., None]
    shift = (octaves + (PARAMETER_BITS + _POWER_BITS - _PHI_BITS))[..., None]
    distance = (edges * ONE + ONE // 2)[None, None] - mixture.means[..., None]
    distance = tf.clip_by_value(distance, -(1 << 18), 1 << 18)
    t = tf.bitwise.right_shift(distance * inverse, shift)
    size = _PHI_RANGE << _PHI_BITS
    phi = tf.gather(tables.phi, tf.clip_by_value(t, -size, size) + size)
    return tf.reduce_sum(mixture.weights[..., None] * phi, axis=0)


def is_certain(tables: Tables, mixture: IntegerMixture) -> tf.Tensor:
    """Whether the centre has nearly all of the probability, bool `(n,)`."""
    below, above = tf.unstack(cumulative(tables, mixture, tf.constant([-1, 0])), axis=1)
    return above - below >= CERTAIN


def cdf_rows(tables: Tables, mixture: IntegerMixture, half_width: int) -> tf.Tensor:
    """Rows for the range coder, symbols `centre - half_width` and up, then the escape.

    Args:
        tables: the sampled functions.
        mixture: n mixtures.
        half_width: int. The rows have `2 * half_width + 1` symbols and the escape.

    Returns:
        int32 `(n, 2 * half_width + 4)`: the negative precision, which turns escapes
        on, then strictly increasing frequencies from 0 to 2**16.
    """
    edges = tf.range(-half_width, half_width + 1)
    symbols = 2 * half_width + 2
    free = (1 << PRECISION) - symbols
    shares = tf.cast(cumulative(tables, mixture, edges), tf.int64) * free
    frequencies = tf.cast(tf.bitwise.right_shift(shares, _ONE_BITS), tf.int32)
    frequencies += tf.range(1, symbols)
    ends = tf.ones_like(frequencies[:, :1])
    return tf.concat(
        [-PRECISION * ends, 0 * ends, frequencies, (1 << PRECISION) * ends], axis=1
    )
