"""MS-SSIM as a loss: with finite gradients everywhere, and for XLA."""

import numpy as np
import tensorflow as tf

from tf_imgcomp.metrics.distortion import PEAK, SCALE_WEIGHTS, WINDOW

_DEVIATION = 1.5  # Of the window, in pixels.
_FLOOR = 1e-3  # Of a similarity before its power, whose gradient is infinite at 0.


def ms_ssim(x: tf.Tensor, x_hat: tf.Tensor) -> tf.Tensor:
    """The multi-scale structural similarity of `metrics.ms_ssim`, for training.

    Images whose shorter side has 160 pixels or fewer are compared at fewer scales, as
    there. The size must be known when the graph is made.

    Args:
        x: float32 `(b, h, w, c)`, 0 to 255, sides of 11 pixels or more.
        x_hat: the same.

    Returns:
        float32 `(b,)`.

    References:
        Wang et al., "Multiscale structural similarity for image quality assessment",
        Asilomar 2003
    """
    side = min(x.shape[1:3])
    weights = [w for n, w in enumerate(SCALE_WEIGHTS) if side > (WINDOW - 1) << n]
    similarity = 1.0
    for scale, weight in enumerate(weights):
        luminance, contrast = _compare(x, x_hat)
        if scale == len(weights) - 1:
            contrast *= luminance
        mean = tf.maximum(tf.reduce_mean(contrast, [1, 2]), _FLOOR)
        similarity *= mean ** (weight / sum(weights))
        x, x_hat = _halved(x), _halved(x_hat)
    return tf.reduce_mean(similarity, axis=1)


def _compare(x, x_hat):
    """Luminance and contrast terms at every place of the window."""
    c1, c2 = (0.01 * PEAK) ** 2, (0.03 * PEAK) ** 2
    mean, mean_hat = _windowed(x), _windowed(x_hat)
    product, squares = mean * mean_hat, mean**2 + mean_hat**2
    covariance = _windowed(x * x_hat) - product
    variances = _windowed(x**2 + x_hat**2) - squares
    return (2 * product + c1) / (squares + c1), (2 * covariance + c2) / (variances + c2)


def _windowed(x):
    """Means under the Gaussian window wherever it fits, channel by channel."""
    position = np.arange(WINDOW) - WINDOW // 2
    window = np.exp(-(position**2) / (2 * _DEVIATION**2))
    window = np.tile(window[:, None, None, None] / window.sum(), (1, 1, x.shape[3], 1))
    for kernel in (window, window.swapaxes(0, 1)):
        kernel = tf.constant(kernel, x.dtype)
        x = tf.nn.depthwise_conv2d(x, kernel, [1, 1, 1, 1], "VALID")
    return x


def _halved(x):
    """Means of 2x2 pixels; beyond an odd edge the picture is mirrored."""
    rows, columns = x.shape[1] % 2, x.shape[2] % 2
    x = tf.pad(x, [[0, 0], [0, rows], [0, columns], [0, 0]], "SYMMETRIC")
    return tf.nn.avg_pool2d(x, 2, 2, "VALID")
