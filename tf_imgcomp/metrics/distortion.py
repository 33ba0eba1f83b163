"""Distortion between two 8-bit images: MSE, PSNR, SSIM, MS-SSIM and SSIMULACRA2."""

import io
import math

import numpy as np
from PIL import Image

PEAK = 255
_ROWS = 64  # At once, which takes little memory.
WINDOW = 11  # Side of the Gaussian window; its standard deviation is 1.5 pixels.
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # Wang et al. 2003.
# Of SSIMULACRA2: its coarsest scale, reduced by 32, needs 8 pixels, rounded up.
_MIN_SIDE = 7 * 32 + 1


def mse(x: np.ndarray, x_hat: np.ndarray) -> float:
    """Returns the mean squared error over all pixels and channels, in grey levels².

    Args:
        x: uint8 array of any shape, the original.
        x_hat: uint8 array of the same shape, the reconstruction.

    Raises:
        ValueError: If a type is not uint8 or the shapes differ.
    """
    _check(x, x_hat)
    total = 0.0  # Whole below 2**53: exact, whatever the order.
    for start in range(0, len(x), _ROWS):
        rows = slice(start, start + _ROWS)
        difference = x[rows].astype(np.int32) - x_hat[rows]
        total += float(np.sum(difference * difference, dtype=np.float64))
    return total / x.size


def psnr(x: np.ndarray, x_hat: np.ndarray) -> float:
    """Returns the peak signal-to-noise ratio in dB, infinite for equal images.

    The peak is 255, and the error is averaged over the channels first: for RGB this
    is the "RGB PSNR" of the literature on learned codecs.

    Args:
        x: uint8 array of any shape, the original.
        x_hat: uint8 array of the same shape, the reconstruction.

    Raises:
        ValueError: If a type is not uint8 or the shapes differ.
    """
    error = mse(x, x_hat)
    return 10 * math.log10(PEAK**2 / error) if error else math.inf


def ssim(x: np.ndarray, x_hat: np.ndarray) -> float:
    """Returns the structural similarity at full resolution, 1.0 for equal images.

    Window and channels are those of `ms_ssim`; a channel that is negatively correlated
    counts as 0.

    Args:
        x: uint8 `(h, w, c)`, the original.
        x_hat: uint8 `(h, w, c)`, the reconstruction.

    Raises:
        ValueError: If a type is not uint8, the shapes differ or are not 3-D.

    References:
        - Wang et al., "Image Quality Assessment: From Error Visibility to Structural
          Similarity", IEEE Trans. Image Processing 2004
    """
    return _similarity(x, x_hat, num_scales=1)


def ms_ssim(x: np.ndarray, x_hat: np.ndarray) -> float:
    """Returns the multi-scale structural similarity, 1.0 for equal images.

    Computed for each channel with an 11x11 Gaussian window (sigma 1.5) at five
    scales and averaged over channels, as TensorFlow and CompressAI do.

    The window does not fit the coarsest scale of an image whose shorter side has 160
    pixels or fewer. Such an image is compared at fewer scales, with the weights of
    these scaled to a sum of one (below 11 pixels at one scale, with a window as large
    as the shorter side). Its value must not be averaged with those of larger images.

    Args:
        x: uint8 `(h, w, c)`, the original.
        x_hat: uint8 `(h, w, c)`, the reconstruction.

    Raises:
        ValueError: If a type is not uint8, the shapes differ or are not 3-D.

    References:
        - Wang et al., "Multiscale structural similarity for image quality
          assessment", Asilomar 2003, https://doi.org/10.1109/ACSSC.2003.1292216
    """
    return _similarity(x, x_hat, num_scales=len(SCALE_WEIGHTS))


def _similarity(x: np.ndarray, x_hat: np.ndarray, num_scales: int) -> float:
    """Compares two images at `num_scales` scales, or at those that fit."""
    import tensorflow as tf  # Here, because the other metrics do not need it.

    _check(x, x_hat)
    if x.ndim != 3:
        raise ValueError(
            f"Expected an image (height, width, channels), received shape {x.shape}."
        )
    side = min(x.shape[:2])
    weights = np.array(SCALE_WEIGHTS[: min(num_scales, _num_scales(side))])
    similarity = tf.image.ssim_multiscale(
        tf.constant(x),
        tf.constant(x_hat),
        max_val=PEAK,
        power_factors=(weights / weights.sum()).tolist(),
        filter_size=min(WINDOW, side),
    )
    return float(similarity)


def ms_ssim_db(similarity: float) -> float:
    """Returns an MS-SSIM on a scale of decibels, `-10 log10(1 - similarity)`.

    Args:
        similarity: float, at most 1.0, which gives infinity.
    """
    return -10 * math.log10(1 - similarity) if similarity < 1 else math.inf


def ssimulacra2(x: np.ndarray, x_hat: np.ndarray) -> float:
    """Returns the SSIMULACRA2 score: 100 for equal images, lower is worse.

    A perceptual score: 90 is visually lossless, 70 high, 50 medium and 30 low quality;
    it has no lower bound. The package `ssimulacra2` computes it. Its blur treats the
    borders differently from libjxl's program, whose scores therefore differ.

    An image whose shorter side is below 225 pixels lacks some of the six scales that
    the weights were fitted to, and has no score.

    Args:
        x: uint8 `(h, w, 3)`, the original, RGB. A grey image has equal channels.
        x_hat: uint8 `(h, w, 3)`, the reconstruction.

    Returns:
        The score, or NaN for an image that is too small.

    Raises:
        ValueError: If a type is not uint8, the shapes differ or are not those of RGB.

    References:
        - Sneyers, "SSIMULACRA 2", Cloudinary 2022,
          https://github.com/cloudinary/ssimulacra2
    """
    from ssimulacra2 import compute_ssimulacra2  # Here, because it imports slowly.

    _check(x, x_hat)
    if x.ndim != 3 or x.shape[2] != 3:
        raise ValueError(
            f"Expected an RGB image (height, width, 3), received shape {x.shape}."
        )
    if min(x.shape[:2]) < _MIN_SIDE:
        return math.nan
    return float(compute_ssimulacra2(_as_file(x), _as_file(x_hat)))


def _as_file(x: np.ndarray) -> io.BytesIO:
    stream = io.BytesIO()
    Image.fromarray(x).save(stream, "PPM")  # Uncompressed.
    return stream


def _num_scales(side: int) -> int:
    """Returns the number of scales, 1 to 5, at which the window fits the side."""
    num_scales = 1
    while num_scales < len(SCALE_WEIGHTS) and side > (WINDOW - 1) << num_scales:
        num_scales += 1
    return num_scales


def _check(x: np.ndarray, x_hat: np.ndarray) -> None:
    if x.dtype != np.uint8 or x_hat.dtype != np.uint8:
        raise ValueError(
            f"Expected uint8 pixels, received {x.dtype} and {x_hat.dtype}."
        )
    if x.shape != x_hat.shape:
        raise ValueError(
            f"Expected two images of one shape, received {x.shape} and {x_hat.shape}."
        )
