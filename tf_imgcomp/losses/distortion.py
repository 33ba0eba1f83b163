"""Distortions of images, on the scale of squared errors.

Each function takes originals and reconstructions, float32 `(b, h, w, 3)`, 0 to 255, and
gives float32 `(b,)`, 0 for equal images. All are scaled so that one `lmbda` of
`bpp + lmbda * D` leads to about the same rate with each. Those of the table take
`LossScales`, too.
"""

import tensorflow as tf

from tf_imgcomp.losses.scales import SCALES, LossScales
from tf_imgcomp.losses.similarity import ms_ssim

_LAPLACE = 2.0  # Of Laplacian errors: mean of the squares over the squared mean.


def mean_squared_error(x: tf.Tensor, x_hat: tf.Tensor) -> tf.Tensor:
    """The mean squared error, in grey levels squared."""
    return tf.reduce_mean(tf.math.squared_difference(x, x_hat), [1, 2, 3])


def structural_dissimilarity(
    x: tf.Tensor, x_hat: tf.Tensor, scales: LossScales = SCALES
) -> tf.Tensor:
    """1 - MS-SSIM, scaled so that distortion weights for MSE suit it.

    Crops of 176 pixels or more are compared at all five scales.
    """
    return scales.ms_ssim * (1 - ms_ssim(x, x_hat))


def squared_absolute_error(
    x: tf.Tensor, x_hat: tf.Tensor, scales: LossScales = SCALES
) -> tf.Tensor:
    """Twice the square of each image's mean absolute error.

    That is the MSE of errors with a Laplace distribution. Without the square, bits and
    distortion would balance at another power of `lmbda`, and no single scale would suit
    all rates.
    """
    del scales
    return _LAPLACE * tf.reduce_mean(tf.abs(x - x_hat), [1, 2, 3]) ** 2


def mixed(x: tf.Tensor, x_hat: tf.Tensor, scales: LossScales = SCALES) -> tf.Tensor:
    """The mean of the MSE and the scaled MS-SSIM distortion."""
    dissimilarity = structural_dissimilarity(x, x_hat, scales)
    return (mean_squared_error(x, x_hat) + dissimilarity) / 2


DISTORTIONS = {
    "mse": lambda x, x_hat, scales=SCALES: mean_squared_error(x, x_hat),
    "ms_ssim": structural_dissimilarity,
    "mae": squared_absolute_error,
    "mix": mixed,
}
