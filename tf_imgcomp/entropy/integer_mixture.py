"""The Gaussian mixture of each latent element in exact numbers, for files.

All are float64 and hold integers, or integers times a power of two, of less than 53
bits: products, sums, floors and scaling by powers of two are exact, in any order and on
any machine.
"""

import functools
import math
from typing import NamedTuple

import tensorflow as tf

from tf_imgcomp.entropy.fixed_point import clip
from tf_imgcomp.entropy.mixture import BITS_PER_ERROR
from tf_imgcomp.entropy.tables import ONE, PHI_ONE_BITS, Functions
from tf_imgcomp.ops.rounding import round_half_up

_WEIGHT_BITS = 11
ONE_BITS = PHI_ONE_BITS + _WEIGHT_BITS  # Probabilities are multiples of 2**-30.

OFFSET_MAX = 64 * ONE
_DISTANCE_MAX = 256 * ONE  # Farther from a mean counts as this far.
_REACH = 9  # Half deviations that a window must hold: 4.5, a tail of 7e-6.

# A zero is certain and not coded if every component gives all other integers less than
# 2**-CERTAIN_BITS of the probability. What that saves is the time of coding it and the
# bits of saying nothing a thousand times; what it costs is a distortion once in a
# thousand. `benchmarks/coding.py` measures other values.
CERTAIN_BITS = 9.5

_RAREST = 1 << (ONE_BITS - 16)  # No symbol's frequency is less.


class IntegerMixture(NamedTuple):
    """A mixture for each of n elements, all float64.

    Attributes:
        weights: `(K, n)`. Integers that sum to 2**11 over K.
        means: `(K, n)`. Integers, relative to the centre, 10 fraction bits.
        factors: `(K, n)`. See `Functions.scale_and_factor`.
        centre: `(n,)`. The integer nearest to the mean of the mixture.
        reach: `(n,)`. How many integers to either side matter.
    """

    weights: tf.Tensor
    means: tf.Tensor
    factors: tf.Tensor
    centre: tf.Tensor
    reach: tf.Tensor

    def select(self, elements: tf.Tensor) -> "IntegerMixture":
        """The mixtures of some elements, int `(m,)`."""
        return IntegerMixture(*(tf.gather(f, elements, axis=-1) for f in self))


def are_zero(functions: Functions, logits, offsets, log2_scales) -> tf.Tensor:
    """Whether elements are zero for certain, bool `(n,)`.

    Args:
        functions: the sampled functions.
        logits, offsets, log2_scales: float32 `(K, n)`. Integers, 10 fraction bits.
    """
    deviations = functions.half_step(log2_scales) - tf.abs(offsets)
    return are_certain(tf.unstack(logits), tf.unstack(deviations))


def are_certain(logits: list, deviations: list) -> tf.Tensor:
    """Whether no component leaves a zero, bool `(n,)`.

    A component's say is bounded by its weight against the largest. Beyond t deviations,
    t > 2, lies a probability of at most about 2 ** (6.6 - 5.1 * t).

    Args:
        logits: of each component, float32 `(n,)`. Integers, 10 fraction bits.
        deviations: like these; how many deviations it is to the next integer.
    """
    top = functools.reduce(tf.maximum, logits)
    # Coefficients of few bits and numbers up to 2**14, so that all of this is exact.
    bits = [
        (top - logit) * 1.4375 + clip(distance, 0, 16 * ONE) * 5.0625
        for logit, distance in zip(logits, deviations)
    ]
    return functools.reduce(tf.minimum, bits) >= (CERTAIN_BITS + 6.625) * ONE


def make_mixture(functions: Functions, logits, offsets, log2_scales) -> IntegerMixture:
    """Mixtures from what the integer networks say, float32 `(K, n)`, as above."""
    scales, factors = functions.scale_and_factor(log2_scales)
    offsets = tf.cast(clip(offsets, -OFFSET_MAX, OFFSET_MAX), tf.float64)
    means = tf.floor(offsets * scales / ONE)
    weights = _softmax(functions, logits)
    mean = tf.reduce_sum(weights * means, axis=0)
    centre = round_half_up(mean / (ONE << _WEIGHT_BITS))
    means -= centre * ONE
    extent = tf.reduce_max(2 * tf.abs(means) + _REACH * scales, axis=0)
    reach = tf.floor((extent + ONE) / (2 * ONE))
    return IntegerMixture(weights, means, factors, centre, reach)


def _softmax(functions: Functions, logits: tf.Tensor) -> tf.Tensor:
    """Integer weights `(K, n)` that sum to 2**11 exactly."""
    powers = functions.exp(logits - tf.reduce_max(logits, axis=0))
    total = tf.reduce_sum(powers, axis=0)
    # The half keeps a quotient away from integers: its own rounding cannot matter.
    rest = tf.floor((powers[1:] * (1 << _WEIGHT_BITS) + 0.5) / total)
    first = (1 << _WEIGHT_BITS) - tf.reduce_sum(rest, axis=0, keepdims=True)
    return tf.concat([first, rest], axis=0)


def cumulative(functions: Functions, mixture: IntegerMixture, edges) -> tf.Tensor:
    """The mixtures' distribution function at `centre + edges + 1/2`.

    Args:
        functions: the sampled functions.
        mixture: n mixtures.
        edges: float64 integers `(n,)` or a scalar, one edge for each mixture; or
            `(1, e)`, the same e ascending edges for all.

    Returns:
        float64 `(n,)` or `(n, e)`, integers from 0 to 2**30. They do not descend with
        the edges: the table of Phi ascends, and weights are not negative.
    """
    weights, means, factors = mixture[:3]
    if len(edges.shape) == 2:
        weights, means, factors = (f[..., None] for f in (weights, means, factors))
    distance = edges * ONE + ONE / 2 - means
    distance = clip(distance, -_DISTANCE_MAX, _DISTANCE_MAX)
    return tf.reduce_sum(weights * functions.phi(distance * factors), axis=0)


class Intervals(NamedTuple):
    """Chosen integers and where they lie in the distribution, float64 `(n,)`.

    Attributes:
        offsets: integers, relative to the centre.
        low, high: the distribution function at the edges of each integer, or, if it
            is outside of the window, of the window's last.
    """

    offsets: tf.Tensor
    low: tf.Tensor
    high: tf.Tensor


def choose_integers(
    functions: Functions, mixture: IntegerMixture, half_widths, y: tf.Tensor
) -> Intervals:
    """What to code of each element; see `mixture.choose_integers`.

    Encoders alone choose, so that a machine that decides otherwise does no harm.

    Args:
        functions: the sampled functions.
        mixture: n mixtures.
        half_widths: float64 `(n,)`, of their windows.
        y: float64 `(n,)`, in quantizer steps.
    """
    y -= mixture.centre
    nearest = round_half_up(y)
    nearer = nearest - tf.sign(nearest)
    # The two are neighbours, and so are their edges. Outside of the window nothing
    # is chosen.
    outside = tf.abs(nearest) > half_widths
    left = tf.where(outside, half_widths - 1, tf.minimum(nearest, nearer))
    first, middle, last = (
        cumulative(functions, mixture, left + step) for step in (-1, 0, 1)
    )
    is_left = tf.equal(nearer, left)
    gained = tf.maximum(tf.where(is_left, middle - first, last - middle), _RAREST)
    lost = tf.maximum(tf.where(is_left, last - middle, middle - first), _RAREST)
    better = ~outside & is_nearer_better(y, nearest, nearer, gained, lost)
    offsets = tf.where(better, nearer, nearest)
    on_left = tf.equal(offsets, left)
    return Intervals(
        offsets, tf.where(on_left, first, middle), tf.where(on_left, middle, last)
    )


def is_nearer_better(y, nearest, nearer, gained, lost) -> tf.Tensor:
    """Whether to take the integer nearer to the centre, bool `(n,)`.

    Args:
        y: float `(n,)`, in quantizer steps.
        nearest, nearer: like y, the two integers.
        gained, lost: like y, probabilities of the nearer and the nearest.
    """
    error = tf.math.squared_difference(y, nearer)
    error -= tf.math.squared_difference(y, nearest)
    saved = tf.math.log(gained / lost) / math.log(2)
    return BITS_PER_ERROR * error < saved
