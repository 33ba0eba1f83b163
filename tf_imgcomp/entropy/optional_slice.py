"""Which images a slice of latents is worth its bits in."""

import math

import tensorflow as tf

# Smaller latents count as zeros in the decision. Most of them are coded as zeros.
_DECISION_DEAD_ZONE = 0.6
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
    y = tf.abs(tf.stop_gradient(y))
    magnitudes = tf.floor(y + (1 - _DECISION_DEAD_ZONE))
    # y**2 - (y - magnitude)**2, in few operations: there are many latents.
    gained = tf.reduce_sum(magnitudes * (2 * y - magnitudes), [1, 2, 3])
    shares = tf.reduce_mean(tf.minimum(magnitudes, 1), [1, 2])
    octaves = tf.reduce_sum(tf.math.log(tf.maximum(magnitudes, 1)), [1, 2, 3])
    octaves /= math.log(2)
    positions = tf.cast(tf.shape(y)[1] * tf.shape(y)[2], y.dtype)
    by_position = tf.reduce_sum(_BITS_OF_ONE * shares + _binary_entropy(shares), 1)
    bits = positions * by_position + _BITS_PER_OCTAVE * octaves
    return bits_per_error * gained > bits


def _binary_entropy(share: tf.Tensor) -> tf.Tensor:
    """Bits of one decision that is true in this share of all cases."""
    nats = -tf.math.xlogy(share, share) - tf.math.xlogy(1 - share, 1 - share)
    return nats / math.log(2)
