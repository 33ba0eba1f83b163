"""Rounding, straight-through gradients, and uniform noise for training."""

import tensorflow as tf


def round_half_up(x: tf.Tensor) -> tf.Tensor:
    """`floor(x + 1/2)`: one exact answer for ties, unlike rounding modes."""
    return tf.floor(x + 0.5)


def to_pixels(x: tf.Tensor) -> tf.Tensor:
    """Grey levels, float of any shape, as uint8: rounded, and clipped to 0 to 255."""
    return tf.cast(tf.clip_by_value(round_half_up(x), 0, 255), tf.uint8)


def pass_straight_through(x: tf.Tensor, value: tf.Tensor) -> tf.Tensor:
    """`value`, with a gradient as if it were `x`."""
    return x + tf.stop_gradient(value - x)


def round_straight_through(x: tf.Tensor) -> tf.Tensor:
    """Rounds to integers; the gradient is that of the identity."""
    return pass_straight_through(x, round_half_up(x))


def gradient_only(x: tf.Tensor) -> tf.Tensor:
    """Zero, with the gradient of `x`."""
    return x - tf.stop_gradient(x)


def scale_nonzero_gradient(x: tf.Tensor, factor: float) -> tf.Tensor:
    """The identity; gradients are scaled at nonzero values and blocked at zeros."""
    scaled = x + (factor - 1) * gradient_only(x)
    return tf.where(tf.equal(x, 0), tf.stop_gradient(x), scaled)


def add_uniform_noise(x: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Adds noise uniform in [-1/2, 1/2), the differentiable stand-in for rounding.

    Args:
        x: float tensor, in quantizer steps.
        seed: int32 `(2,)`. The same seed gives the same noise.

    Returns:
        Tensor like `x`.
    """
    noise = tf.random.stateless_uniform(tf.shape(x), seed, -0.5, 0.5, tf.float32)
    return x + tf.cast(noise, x.dtype)
