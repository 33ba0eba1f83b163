"""The Gaussian mixture of each latent element in exact numbers, for files.

All numbers are float64 with integers, or integers times a power of two, of less than 53
bits. Their products, sums, floors and scaling by powers of two are exact, in any order
and on any machine.
"""

import math
from typing import NamedTuple

import tensorflow as tf

from tf_imgcomp.entropy_coding.integer_networks import clip
from tf_imgcomp.entropy_coding.tables import ONE, PHI_ONE_BITS, Functions
from tf_imgcomp.ops.rounding import round_half_up

_WEIGHT_BITS = 11
ONE_BITS = PHI_ONE_BITS + _WEIGHT_BITS  # Probabilities are multiples of 2**-30.

OFFSET_MAX = 64 * ONE
_DISTANCE_MAX = 256 * ONE  # Distances from a mean are clipped to this.

_PROBABILITY_MIN = 1 << (ONE_BITS - 16)  # Smaller ones count as 2**-16.


class IntegerMixture(NamedTuple):
    """A mixture for each of n elements, all float64.

    Attributes:
        weights: `(K, n)`. Integers that sum to 2**11 over K.
        means: `(K, n)`. Integers, relative to the centre, 10 fraction bits.
        factors: `(K, n)`. See `Functions.scale_and_factor`.
        centre: `(n,)`. The integer nearest to the mean of the mixture.
    """

    weights: tf.Tensor
    means: tf.Tensor
    factors: tf.Tensor
    centre: tf.Tensor


# Beyond t deviations, t > 2, lies a probability of at most about 2 ** (6.6 - 5.1 * t).
# Coefficients of few bits, so that products are exact.
_TAIL_BITS, _BITS_PER_DEVIATION = 6.625, 5.0625
_BITS_PER_NAT = 1.4375


def certain_deviations(certain_bits: float) -> float:
    """The distance, in deviations, from a mean to 1/2 that makes 0 almost certain."""
    return (certain_bits + _TAIL_BITS) / _BITS_PER_DEVIATION


def are_skipped(
    functions: Functions, certain_bits: float, logits, offsets, log2_scales
) -> tf.Tensor:
    """Which elements are not coded, since they are almost surely 0, bool `(n,)`.

    The weight of a component is bounded by its ratio to the largest.

    Args:
        functions: the sampled functions.
        certain_bits: see `LatentCoderConfig`.
        logits, offsets, log2_scales: float32 `(K, n)`. Integers, 10 fraction bits.
    """
    deviations = functions.half_step(log2_scales) - tf.abs(offsets)
    unlikely = tf.reduce_max(logits, axis=0) - logits
    bits = (
        unlikely * _BITS_PER_NAT + clip(deviations, 0, 16 * ONE) * _BITS_PER_DEVIATION
    )
    return tf.reduce_min(bits, axis=0) >= (certain_bits + _TAIL_BITS) * ONE


def make_mixture(functions: Functions, logits, offsets, log2_scales) -> IntegerMixture:
    """Mixtures from parameters of the integer networks; see `are_skipped`."""
    scales, factors = functions.scale_and_factor(log2_scales)
    offsets = tf.cast(clip(offsets, -OFFSET_MAX, OFFSET_MAX), tf.float64)
    means = tf.floor(offsets * scales / ONE)
    weights = _softmax(functions, logits)
    mean = tf.reduce_sum(weights * means, axis=0)
    centre = round_half_up(mean / (ONE << _WEIGHT_BITS))
    return IntegerMixture(weights, means - centre * ONE, factors, centre)


def _softmax(functions: Functions, logits: tf.Tensor) -> tf.Tensor:
    """Integer weights `(K, n)` that sum to 2**11 exactly."""
    powers = functions.exp(logits - tf.reduce_max(logits, axis=0))
    total = tf.reduce_sum(powers, axis=0)
    # The half keeps a quotient away from integers: its own rounding cannot matter.
    rest = tf.floor((powers[1:] * (1 << _WEIGHT_BITS) + 0.5) / total)
    first = (1 << _WEIGHT_BITS) - tf.reduce_sum(rest, axis=0, keepdims=True)
    return tf.concat([first, rest], axis=0)


def cumulative(functions: Functions, mixture: IntegerMixture, edges) -> tf.Tensor:
    """The mixtures' cumulative distribution at `centre + edges + 1/2`.

    Args:
        functions: the sampled functions.
        mixture: n mixtures.
        edges: float64 integers `(n,)` or a scalar, one edge for each mixture.

    Returns:
        float64 `(n,)`, integers from 0 to 2**30. They never descend as edges ascend,
        because the table of Phi ascends and weights are not negative.
    """
    distance = edges * ONE + ONE / 2 - mixture.means
    distance = clip(distance, -_DISTANCE_MAX, _DISTANCE_MAX)
    phi = functions.phi(distance * mixture.factors)
    return tf.reduce_sum(mixture.weights * phi, axis=0)


def choose_integers(
    functions: Functions, mixture: IntegerMixture, y: tf.Tensor, bits_per_error: float
) -> tf.Tensor:
    """Quantizes each element; see `mixture.choose_integers`.

    Only encoders choose, so another choice on another machine does no harm.

    Args:
        functions: the sampled functions.
        mixture: n mixtures.
        y: float64 `(n,)`, in quantizer steps.
        bits_per_error: see `LatentCoderConfig`.

    Returns:
        float64 `(n,)`, integers relative to the centres.
    """
    y -= mixture.centre
    nearest = round_half_up(y)
    step = tf.sign(nearest)
    lower = nearest - tf.maximum(step, 0)  # The lower one of the two integers.
    first, middle, last = (
        cumulative(functions, mixture, lower + edge) for edge in (-1, 0, 1)
    )
    likelihoods = (
        tf.maximum(middle - first, _PROBABILITY_MIN),
        tf.maximum(last - middle, _PROBABILITY_MIN),
    )
    better = is_nearer_better(y - nearest, step, *likelihoods, bits_per_error)
    return tf.where(better, nearest - step, nearest)


def is_nearer_better(residual, step, lower, upper, bits_per_error) -> tf.Tensor:
    """Whether to take the integer one step nearer to the centre, bool `(n,)`.

    Args:
        residual: float `(n,)`. The latents less the nearest integers.
        step: float `(n,)`. The signs of the nearest integers, seen from the centre.
        lower, upper: float `(n,)`. Probabilities of the lower and the upper one of the
            two integers, in any unit.
        bits_per_error: float, see `LatentCoderConfig`.
    """
    error = 2 * residual * step + 1  # How much the squared error grows.
    saved = step * tf.math.log(lower / upper)
    return tf.cast(bits_per_error, error.dtype) * math.log(2) * error < saved
