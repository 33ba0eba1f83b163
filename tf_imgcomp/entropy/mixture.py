"""The Gaussian mixture of each latent element in floats, for training."""

import math
from typing import NamedTuple

import tensorflow as tf
import tensorflow_compression as tfc

from tf_imgcomp.ops.rounding import round_half_up

# Bounds of log2 of a standard deviation, in quantizer steps. The integer tables of
# `entropy_coding.tables` cover the same range.
LOG2_SCALE_MIN, LOG2_SCALE_MAX = -4.0, 9.0

LIKELIHOOD_MIN = 1e-6  # Cheng et al. 2020, authors' code.


class Mixture(NamedTuple):
    """K Gaussians per element; every field is float `(b, h, w, K, c)`.

    Attributes:
        logits: before the softmax over K.
        offsets: mean / scale. Relative, so that one network output fits all rates.
        log2_scales: log2 of the standard deviation, in quantizer steps.
    """

    logits: tf.Tensor
    offsets: tf.Tensor
    log2_scales: tf.Tensor


def parameters_per_element(components: int, tied: bool) -> int:
    """Number of network outputs for each element."""
    return components + 1 if tied else 3 * components


def split_parameters(
    raw: tf.Tensor, components: int, tied: bool, log2_gain: tf.Tensor
) -> Mixture:
    """Splits a network's output into the parameters of mixtures.

    Args:
        raw: float `(b, h, w, p * c)`, kind by kind: logits, offsets, log2 scales; K of
            each, or, if tied, the last K - 1 logits, one offset and one log2 scale.
        components: int, K.
        tied: whether all Gaussians of an element have one mean, and each is twice as
            wide as the one before it.
        log2_gain: float `(b, c)`, of the gain of the latents; it is added to scales.

    Returns:
        The mixture, scales bounded.
    """
    count = parameters_per_element(components, tied)
    raw = tf.reshape(raw, tf.concat([tf.shape(raw)[:-1], [count, -1]], 0))
    raw = tf.ensure_shape(raw, [None] * 4 + [log2_gain.shape[-1]])
    sizes = [components - 1, 1, 1] if tied else [components] * 3
    logits, offsets, log2_scales = tf.split(raw, sizes, axis=-2)
    log2_scales += log2_gain[:, None, None, None, :]
    log2_scales = tfc.lower_bound(log2_scales, LOG2_SCALE_MIN)
    log2_scales = tfc.upper_bound(log2_scales, LOG2_SCALE_MAX)
    if tied:
        octaves = tf.range(components, dtype=raw.dtype)[:, None]
        logits = tf.concat([tf.zeros_like(offsets), logits], axis=-2)
        offsets, log2_scales = offsets * tf.pow(2.0, -octaves), log2_scales + octaves
    return Mixture(logits, offsets, log2_scales)


def _phi(x: tf.Tensor) -> tf.Tensor:
    """The normal distribution function, less one half.

    On a CPU `erf` is thirty times as fast as `erfc`. Its rounding near -1 leaves
    differences right to 1e-7, a tenth of `LIKELIHOOD_MIN`.
    """
    return 0.5 * tf.math.erf(2**-0.5 * x)


def _exp2(x: tf.Tensor) -> tf.Tensor:
    return tf.exp(math.log(2) * x)  # `tf.pow` takes seven times as long on a CPU.


def _weights(logits: tf.Tensor) -> tf.Tensor:
    """The softmax over the components; `tf.nn.softmax` would transpose twice."""
    logits -= tf.stop_gradient(tf.reduce_max(logits, axis=-2, keepdims=True))
    terms = tf.exp(logits)
    return terms / tf.reduce_sum(terms, axis=-2, keepdims=True)


def mixture_bits(y: tf.Tensor, mixture: Mixture) -> tf.Tensor:
    """Bits of each element under its mixture convolved with a unit uniform.

    Args:
        y: float `(b, h, w, c)`, rounded or with noise, in quantizer steps.
        mixture: its parameters.

    Returns:
        float `(b, h, w, c)`, at most -log2(1e-6).
    """
    scales = _exp2(mixture.log2_scales)
    # By symmetry the lower tail is used on both sides: no cancellation near 1.
    distance = tf.abs(y[..., None, :] - mixture.offsets * scales)
    pmf = _phi((0.5 - distance) / scales) - _phi((-0.5 - distance) / scales)
    likelihood = tf.reduce_sum(_weights(mixture.logits) * pmf, axis=-2)
    likelihood = tfc.lower_bound(likelihood, LIKELIHOOD_MIN)
    return -tf.math.log(likelihood) / tf.math.log(2.0)


def centres(mixture: Mixture) -> tf.Tensor:
    """The integers nearest to the means of the mixtures, float `(b, h, w, c)`."""
    means = mixture.offsets * _exp2(mixture.log2_scales)
    return round_half_up(tf.reduce_sum(_weights(mixture.logits) * means, axis=-2))


def choose_integers(y: tf.Tensor, mixture: Mixture, bits_per_error) -> tf.Tensor:
    """Quantizes each latent to the nearest integer, or to one that costs less.

    The alternative is one step nearer to the centre of the mixture. It is taken where
    it saves more bits than `bits_per_error` times the squared error it adds. The
    decoder need not know: this is rate-distortion optimized quantization (Karczewicz,
    Ye and Chong, "Rate Distortion Optimized Quantization", ITU-T VCEG-AH21, 2008).

    Args:
        y: float `(b, h, w, c)`, in quantizer steps.
        mixture: the distributions that the decoder will use.
        bits_per_error: float, see `LatentCoderConfig`; or float `(c,)`, one for each
            channel.

    Returns:
        Integers like `y`; no gradient.
    """
    nearest = round_half_up(y)
    nearer = nearest - tf.sign(nearest - centres(mixture))
    error = tf.math.squared_difference(y, nearer) - tf.math.squared_difference(
        y, nearest
    )
    saved = mixture_bits(nearest, mixture) - mixture_bits(nearer, mixture)
    return tf.stop_gradient(tf.where(bits_per_error * error < saved, nearer, nearest))
