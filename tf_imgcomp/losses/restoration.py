"""Losses of post-filters: distances of a restored image from the original.

Each function takes original and restored, float32 `(b, h, w, 3)`, 0 to 255, and
`LossScales`. It gives a float32 scalar.
"""

import tensorflow as tf

from tf_imgcomp.losses.distortion import mean_squared_error
from tf_imgcomp.losses.scales import SCALES, LossScales
from tf_imgcomp.losses.similarity import ms_ssim

_MS_SSIM_WEIGHT = 1 / 20  # Xue and Su 2019, section 4.3.


def mean_absolute_error(
    x: tf.Tensor, x_hat: tf.Tensor, scales: LossScales = SCALES
) -> tf.Tensor:
    """The first loss of Xue and Su 2019, colour values counted as 0 to 1."""
    del scales
    return tf.reduce_mean(tf.abs(x - x_hat)) / 255


def scaled_squared_error(
    x: tf.Tensor, x_hat: tf.Tensor, scales: LossScales = SCALES
) -> tf.Tensor:
    """The mean squared error in units of `filter_mse_unit`; about 1 at low rates."""
    error = tf.reduce_mean(tf.math.squared_difference(x, x_hat))
    return error / scales.filter_mse_unit**2


def decibels(x: tf.Tensor, x_hat: tf.Tensor, scales: LossScales = SCALES) -> tf.Tensor:
    """The negative mean PSNR of the images plus a constant, in units of 10 dB.

    An image's gradient depends on the relative change of its error, so that the few
    images with most of a batch's error do not dominate.
    """
    nepers = tf.math.log(mean_squared_error(x, x_hat) + scales.filter_psnr_floor**2)
    return tf.reduce_mean(nepers) / tf.math.log(10.0)


def mae_and_ms_ssim(
    x: tf.Tensor, x_hat: tf.Tensor, scales: LossScales = SCALES
) -> tf.Tensor:
    """The second loss of Xue and Su 2019: MAE + (1 - MS-SSIM) / 20."""
    del scales
    dissimilarity = 1 - tf.reduce_mean(ms_ssim(x, x_hat))
    return mean_absolute_error(x, x_hat) + _MS_SSIM_WEIGHT * dissimilarity
