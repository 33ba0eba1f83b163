"""The rate-distortion Lagrangian."""

from typing import NamedTuple

import tensorflow as tf

from tf_imgcomp.losses.distortion import DISTORTIONS, mean_squared_error
from tf_imgcomp.losses.scales import SCALES, LossScales


class RateDistortion(NamedTuple):
    """Loss and metrics of a batch; all scalars, means over the batch.

    Attributes:
        loss: what training minimizes.
        bpp: estimated bits per pixel, y and z.
        z_bpp: the part of z.
        mse: squared error per colour value, on 0..255.
        lagrangian: bpp + lmbda * D, before the weights of `rate_distortion`.
    """

    loss: tf.Tensor
    bpp: tf.Tensor
    z_bpp: tf.Tensor
    mse: tf.Tensor
    lagrangian: tf.Tensor


def lagrangian(
    x, x_hat, bpp, lmbda, distortion: str = "mse", scales: LossScales = SCALES
) -> tf.Tensor:
    """`bpp + lmbda * D` of each image, float32 `(b,)`.

    Args:
        x: float32 `(b, h, w, 3)`, 0 to 255.
        x_hat: the same.
        bpp: float32 `(b,)`. Bits per pixel.
        lmbda: float32 `(b,)`. Distortion weights.
        distortion: name in `losses.distortion.DISTORTIONS`.
        scales: of the distortions.
    """
    return bpp + lmbda * DISTORTIONS[distortion](x, x_hat, scales)


def rate_distortion(
    images,
    output,
    lmbda,
    lmbda_middle: float,
    distortion: str = "mse",
    scales: LossScales = SCALES,
) -> RateDistortion:
    """`bpp + lmbda * D`, weighted so that all rates count about equally.

    Lagrangians grow with the rate, roughly as the square root of `lmbda`. So each
    image's is divided by `sqrt(lmbda / lmbda_middle)`.

    Args:
        images: uint8 `(b, h, w, 3)`.
        output: `CodecOutput` for them.
        lmbda: float32 `(b,)`. Distortion weight of each image.
        lmbda_middle: float. Where the weight is 1.
        distortion: name in `losses.distortion.DISTORTIONS`.
        scales: of the distortions.
    """
    x = tf.cast(images, tf.float32)
    bpp, z_bpp = bits_per_pixel(x, output)
    costs = lagrangian(x, output.x_hat, bpp, lmbda, distortion, scales)
    weight = tf.math.rsqrt(lmbda / lmbda_middle)
    mse = mean_squared_error(x, output.x_hat)
    return RateDistortion(
        *map(tf.reduce_mean, (weight * costs, bpp, z_bpp, mse, costs))
    )


def bits_per_pixel(x, output) -> tuple:
    """Estimated bits per pixel of each image, and the part of z, float32 `(b,)`."""
    pixels = tf.cast(tf.shape(x)[1] * tf.shape(x)[2], tf.float32)
    z_bpp = output.z_bits / pixels
    return output.y_bits / pixels + z_bpp, z_bpp
