"""The rate-distortion Lagrangian."""

from typing import NamedTuple

import tensorflow as tf


class RateDistortion(NamedTuple):
    """What a batch costs; all scalars, means over the batch.

    Attributes:
        loss: what training minimizes.
        bpp: estimated bits per pixel, y and z.
        z_bpp: the part of z.
        mse: squared error per colour value, on 0..255.
        lagrangian: bpp + lmbda * mse, before the weights of `rate_distortion`.
    """

    loss: tf.Tensor
    bpp: tf.Tensor
    z_bpp: tf.Tensor
    mse: tf.Tensor
    lagrangian: tf.Tensor


def rate_distortion(images, output, lmbda, lmbda_middle: float) -> RateDistortion:
    """`bpp + lmbda * mse`, every rate with about the same say.

    High rates have large Lagrangians and would drown the low ones; each image's is
    divided by `sqrt(lmbda / lmbda_middle)`, roughly its size.

    Args:
        images: uint8 `(b, h, w, 3)`.
        output: `CodecOutput` for them.
        lmbda: float32 `(b,)`. Rate weight of each image.
        lmbda_middle: float. Where the weight is 1.
    """
    x = tf.cast(images, tf.float32)
    pixels = tf.cast(tf.shape(x)[1] * tf.shape(x)[2], tf.float32)
    mse = tf.reduce_mean(tf.math.squared_difference(x, output.x_hat), [1, 2, 3])
    z_bpp = output.z_bits / pixels
    bpp = output.y_bits / pixels + z_bpp
    lagrangian = bpp + lmbda * mse
    weight = tf.math.rsqrt(lmbda / lmbda_middle)
    means = map(tf.reduce_mean, (weight * lagrangian, bpp, z_bpp, mse, lagrangian))
    return RateDistortion(*means)
