"""The Gaussian mixture of each latent element in exact numbers, for files.

All are float64 and hold integers, or integers times a power of two, of less than 53
bits: products, sums, floors and scaling by powers of two are exact, in any order and on
any machine.
"""

import math
from typing import NamedTuple

import tensorflow as tf

from tf_imgcomp.entropy.fixed_point import clip
from tf_imgcomp.entropy.mixture import BITS_PER_ERROR
from tf_imgcomp.entropy.tables import ONE, PHI_ONE_BITS, PHI_UNIT, Functions
from tf_imgcomp.ops.rounding import round_half_up

_WEIGHT_BITS = 11
ONE_BITS = PHI_ONE_BITS + _WEIGHT_BITS  # Probabilities are multiples of 2**-30.

_OFFSET_MAX = 64 * ONE
_DISTANCE_MAX = 256 * ONE  # Farther from a mean counts as this far.
_REACH = 8  # Half deviations that a window must hold: 4, a tail of 6e-5.

# An integer is certain and not coded where its borders are this far from the means of
# all components, in deviations: then all others have 2**-10 of the probability. What
# that saves is the time of coding it and the bits of saying nothing a thousand times;
# what it costs is a distortion once in a thousand. `benchmarks/coding.py` measures
# other values.
CERTAIN = 3.3

_RAREST = 1 << (ONE_BITS - 16)  # No symbol's frequency is less.


class Gaussians(NamedTuple):
    """K Gaussians for each of n elements, float64 `(K, n)`.

    Attributes:
        means: integers, 10 fraction bits.
        scales: integers, 10 fraction bits.
        factors: see `Functions.scale_and_factor`.
    """

    means: tf.Tensor
    scales: tf.Tensor
    factors: tf.Tensor

    def select(self, elements: tf.Tensor) -> "Gaussians":
        """The Gaussians of some elements, int `(m,)`."""
        return Gaussians(*(tf.gather(f, elements, axis=-1) for f in self))


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

    def between(self, start: tf.Tensor, stop: tf.Tensor) -> "IntegerMixture":
        """The mixtures of the elements from `start` to before `stop`."""
        return IntegerMixture(*(f[..., start:stop] for f in self))


def make_gaussians(functions: Functions, offsets, log2_scales) -> Gaussians:
    """Components from what the integer networks say, float32 `(K, n)`, 10 bits."""
    scales, factors = functions.scale_and_factor(log2_scales)
    offsets = tf.cast(clip(offsets, -_OFFSET_MAX, _OFFSET_MAX), tf.float64)
    return Gaussians(tf.floor(offsets * scales / ONE), scales, factors)


def certain_integers(gaussians: Gaussians) -> tuple:
    """What every element would be if it were certain, and whether it is.

    Returns:
        float64 `(n,)` integers and bool `(n,)`.
    """
    nearest = round_half_up(gaussians.means[0] / ONE)
    inside = ONE / 2 - tf.abs(gaussians.means - nearest * ONE)
    deviations = tf.reduce_min(inside * gaussians.factors, axis=0)
    return nearest, deviations >= CERTAIN * PHI_UNIT


def make_mixture(
    functions: Functions, logits: tf.Tensor, gaussians: Gaussians
) -> IntegerMixture:
    """Mixtures of components, weighted by logits, float32 `(K, n)`, 10 bits."""
    means, scales, factors = gaussians
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


def choose_integers(
    functions: Functions, mixture: IntegerMixture, y: tf.Tensor
) -> tf.Tensor:
    """What to code of each element; see `mixture.choose_integers`.

    Encoders alone do this, so that a machine that decides otherwise does no harm.

    Args:
        functions: the sampled functions.
        mixture: n mixtures.
        y: float64 `(n,)`, in quantizer steps.

    Returns:
        float64 integers `(n,)`.
    """
    nearest = round_half_up(y)
    direction = tf.sign(nearest - mixture.centre)
    nearer = nearest - direction
    # Upper edges of the lower, and of the upper of the two integers.
    middle = tf.minimum(nearest, nearer) - mixture.centre
    edges = [cumulative(functions, mixture, middle + step) for step in (-1, 0, 1)]
    lower, upper = edges[1] - edges[0], edges[2] - edges[1]
    gained, lost = (
        tf.maximum(tf.where(direction > 0, one, other), _RAREST)
        for one, other in ((lower, upper), (upper, lower))
    )
    error = tf.math.squared_difference(y, nearer)
    error -= tf.math.squared_difference(y, nearest)
    saved = tf.math.log(gained / lost) / math.log(2)
    # Where both are the centre, no error is added and no bit saved.
    return tf.where(BITS_PER_ERROR * error < saved, nearer, nearest)
