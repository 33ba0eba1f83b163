"""Decides for each image whether a slice of latents is worth its bits."""

import math

import tensorflow as tf


def is_worth_coding(y: tf.Tensor, config, bits_per_error) -> tf.Tensor:
    """Whether a slice lowers the error by more than its bits.

    An encoder decides before it codes, so the bits are those of a simple model:
    each channel has its own share of nonzero latents. A decoder reads the decision.

    Args:
        y: float32 `(b, h, w, c)`, latents of the slice in quantizer steps.
        config: `LatentCoderConfig`.
        bits_per_error: float or float32 scalar, in place of the config's.

    Returns:
        bool `(b,)`, no gradient.
    """
    y = tf.abs(tf.stop_gradient(y))
    magnitudes = tf.floor(y + (1 - config.optional_dead_zone))
    # y**2 - (y - magnitude)**2, in few operations: there are many latents.
    gained = tf.reduce_sum(magnitudes * (2 * y - magnitudes), [1, 2, 3])
    shares = tf.reduce_mean(tf.minimum(magnitudes, 1), [1, 2])
    octaves = tf.reduce_sum(tf.math.log(tf.maximum(magnitudes, 1)), [1, 2, 3])
    octaves /= math.log(2)
    positions = tf.cast(tf.shape(y)[1] * tf.shape(y)[2], y.dtype)
    ones = config.optional_bits_of_one * shares
    by_position = tf.reduce_sum(ones + _binary_entropy(shares), 1)
    bits = positions * by_position + config.optional_bits_per_octave * octaves
    return bits_per_error * gained > bits


def _binary_entropy(share: tf.Tensor) -> tf.Tensor:
    """Bits of one decision that is true in this share of all cases."""
    nats = -tf.math.xlogy(share, share) - tf.math.xlogy(1 - share, 1 - share)
    return nats / math.log(2)
