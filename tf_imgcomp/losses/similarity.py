"""MS-SSIM as a loss: with finite gradients everywhere, and for XLA."""

import numpy as np
import tensorflow as tf

from tf_imgcomp.metrics.distortion import PEAK, SCALE_WEIGHTS, WINDOW

_DEVIATION = 1.5  # Of the window, in pixels.
_FLOOR = 1e-3  # Of a similarity before its power, whose gradient is infinite at 0.


def ms_ssim(x: tf.Tensor, x_hat: tf.Tensor) -> tf.Tensor:
    """The multi-scale structural similarity of `metrics.ms_ssim`, for training.

    Images whose shorter side has 160 pixels or fewer are compared at fewer scales, as
    there. Sides below 11 pixels are filled up with black.

    Args:
        x: float32 `(b, h, w, c)`, 0 to 255. The graph must know `c`.
        x_hat: the same.

    Returns:
        float32 `(b,)`.

    References:
        Wang et al., "Multiscale structural similarity for image quality assessment",
        Asilomar 2003
    """
    scales = tf.range(len(SCALE_WEIGHTS))
    side = tf.minimum(tf.shape(x)[1], tf.shape(x)[2])
    fitting = tf.reduce_sum(tf.cast(side > (WINDOW - 1) * 2**scales, scales.dtype))
    last = tf.maximum(fitting, 1) - 1
    weights = tf.where(scales <= last, tf.constant(SCALE_WEIGHTS, x.dtype), 0)
    weights /= tf.reduce_sum(weights)
    similarity = 1.0
    for scale in range(len(SCALE_WEIGHTS)):
        luminance, contrast = _compare(_as_window(x), _as_window(x_hat))
        contrast = tf.where(last == scale, luminance * contrast, contrast)
        mean = tf.maximum(tf.reduce_mean(contrast, [1, 2]), _FLOOR)
        similarity *= mean ** weights[scale]
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


def _as_window(x):
    """At least as large as the window, filled up with black."""
    rows, columns = (tf.maximum(WINDOW - size, 0) for size in _sides(x))
    return _extended(x, rows, columns, "CONSTANT")


def _halved(x):
    """Means of 2x2 pixels; beyond an odd edge the picture is mirrored."""
    rows, columns = (size % 2 for size in _sides(x))
    return tf.nn.avg_pool2d(_extended(x, rows, columns, "SYMMETRIC"), 2, 2, "VALID")


def _sides(x):
    return tf.unstack(tf.shape(x)[1:3])


def _extended(x, rows, columns, mode):
    """With more rows below and more columns to the right."""
    extended = tf.pad(x, [[0, 0], [0, rows], [0, columns], [0, 0]], mode)
    return tf.ensure_shape(extended, [None, None, None, x.shape[3]])
