"""The loss of the report that mfca_pmcn comes from.

    L1 + 0.1 * MSE + 0.01 * rate + 0.1 * quantization

Pothireddy and Poojita, IIT Jodhpur 2024, section IV.1. L1 and MSE are means over colour
values from 0 to 1: the report normalizes its images, and its final losses (L1 0.0664 in
a total of 0.0767) leave an MSE of 0.007, which fits that L1 on no larger scale.

Two terms differ. The report's rate is the mean of its importance map; here it is the
estimated bits per pixel. And the report trains one rate; here `lmbda` sets the balance
of distortion and rate. At `LossScales.report_lmbda` the loss is the sum above.
"""

from typing import NamedTuple

import tensorflow as tf

from tf_imgcomp.losses.distortion import mean_squared_error
from tf_imgcomp.losses.rate_distortion import bits_per_pixel
from tf_imgcomp.losses.scales import SCALES, LossScales


class MfcaPmcnLoss(NamedTuple):
    """Loss and metrics of a batch; all scalars, means over the batch.

    Attributes:
        loss: what training minimizes.
        l1: absolute error per colour value, on 0..1.
        mse: squared error per colour value, on 0..255 as everywhere else.
        bpp: estimated bits per pixel, y and z.
        z_bpp: the part of z.
        quantization: squared difference of y and y_hat, in quantizer steps squared.
    """

    loss: tf.Tensor
    l1: tf.Tensor
    mse: tf.Tensor
    bpp: tf.Tensor
    z_bpp: tf.Tensor
    quantization: tf.Tensor


def mfca_pmcn_cost(
    x, x_hat, bpp, lmbda, quantization=0.0, scales: LossScales = SCALES
) -> tf.Tensor:
    """The loss of each image, float32 `(b,)`.

    Args:
        x: float32 `(b, h, w, 3)`, 0 to 255.
        x_hat: the same.
        bpp: float32 `(b,)`. Bits per pixel.
        lmbda: float32 `(b,)`. Distortion weights, as of the Lagrangian.
        quantization: float32 `(b,)`; 0 to judge an image that was decoded from a file.
        scales: weights of the terms.
    """
    error = _l1(x, x_hat) + scales.report_mse * mean_squared_error(x, x_hat) / 255**2
    weight = tf.sqrt(lmbda / scales.report_lmbda)
    distortion = error + scales.report_quantization * quantization
    return weight * distortion + scales.report_rate * bpp / weight


def mfca_pmcn_loss(images, output, lmbda, scales: LossScales = SCALES) -> MfcaPmcnLoss:
    """The report's loss of a batch.

    The quantization term draws y to the integers that are coded. These count as
    constants: their straight-through gradient would cancel that of y.

    Args:
        images: uint8 `(b, h, w, 3)`.
        output: `CodecOutput` for them.
        lmbda: float32 `(b,)`. Distortion weight of each image.
        scales: weights of the terms.
    """
    x, x_hat = tf.cast(images, tf.float32), output.x_hat
    bpp, z_bpp = bits_per_pixel(x, output)
    error = tf.math.squared_difference(output.y, tf.stop_gradient(output.y_hat))
    quantization = tf.reduce_mean(error, [1, 2, 3])
    costs = mfca_pmcn_cost(x, x_hat, bpp, lmbda, quantization, scales)
    mse = mean_squared_error(x, x_hat)
    terms = (costs, _l1(x, x_hat), mse, bpp, z_bpp, quantization)
    return MfcaPmcnLoss(*map(tf.reduce_mean, terms))


def _l1(x, x_hat):
    return tf.reduce_mean(tf.abs(x - x_hat), [1, 2, 3]) / 255
