"""Which images a slice of latents is worth its bits in."""

import math

import tensorflow as tf

_DEAD_ZONE = 0.6  # Latents below are taken for zeros, as they mostly will be.
_BITS_OF_ONE = 1.7  # A sign, and that the magnitude is 1.
_BITS_PER_OCTAVE = 1.5  # Of the magnitude.


def is_worth_coding(y: tf.Tensor, bits_per_error: float) -> tf.Tensor:
    """Whether a slice lowers the error by more than its bits.

    An encoder decides before it codes, so the bits are those of a simple model:
    each channel has its own share of nonzero latents. A decoder reads the decision.

    Args:
        y: float32 `(b, h, w, c)`, latents in quantizer steps.
        bits_per_error: see `LatentCoderConfig`.

    Returns:
        bool `(b,)`, no gradient.
    """
    y = tf.stop_gradient(y)
    magnitudes = tf.floor(tf.abs(y) + (1 - _DEAD_ZONE))
    gained = tf.square(y) - tf.square(tf.abs(y) - magnitudes)
    are_coded = tf.cast(magnitudes > 0, y.dtype)
    octaves = tf.math.log(tf.maximum(magnitudes, 1)) / math.log(2)
    bits = are_coded * (_BITS_OF_ONE + _BITS_PER_OCTAVE * octaves)
    positions = tf.cast(tf.shape(y)[1] * tf.shape(y)[2], y.dtype)
    shares = tf.reduce_mean(are_coded, [1, 2])
    bits = tf.reduce_sum(bits, [1, 2]) + positions * _binary_entropy(shares)
    return bits_per_error * tf.reduce_sum(gained, [1, 2, 3]) > tf.reduce_sum(bits, 1)


def _binary_entropy(share: tf.Tensor) -> tf.Tensor:
    """Bits of one decision that is true in this share of all cases."""
    nats = -tf.math.xlogy(share, share) - tf.math.xlogy(1 - share, 1 - share)
    return nats / math.log(2)
