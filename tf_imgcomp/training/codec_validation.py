"""Validation with real strings: rate and distortion of held-out photos."""

import math
from collections.abc import Sequence
from typing import Callable

import numpy as np
import tensorflow as tf

from tf_imgcomp.codecs.base import Codec
from tf_imgcomp.metrics import mse, ssim


class RealBits:
    """Codes photos with the integer coder, as an exported codec does.

    Args:
        codec: the codec in training.
        photos: held-out photos, uint8 `(h, w, 3)` each.
        make_module: function of a codec that returns its exported form, an object with
            `compress` and `decoded`.
        cost: function of originals and reconstructions, float32 `(b, h, w, 3)`, bits
            per pixel and `lmbda`, `(b,)`, that returns the training loss, `(b,)`,
            all above 0.
        qualities: floats in [1, 100], at which photos are coded.
    """

    def __init__(
        self,
        codec: Codec,
        photos: Sequence[np.ndarray],
        make_module: Callable,
        cost: Callable,
        qualities: Sequence[float],
    ):
        self._codec, self._photos, self._make_module = codec, list(photos), make_module
        self._cost, self._qualities = cost, qualities

    def __call__(self) -> dict:
        """Mean bpp, PSNR and SSIM at each quality, the score, and one reconstruction.

        The score is the mean log of the cost, so that all rates have equal weight.
        """
        module = self._make_module(self._codec)
        figures, logs = {}, []
        shown = self._qualities[len(self._qualities) // 4]
        for quality in self._qualities:
            measured = []
            for photo in self._photos:
                bpp, x_hat = _code(module, photo, quality)
                measured.append((bpp, _finite_psnr(photo, x_hat), ssim(photo, x_hat)))
                logs.append(math.log(self._judge(photo, x_hat, bpp, quality)))
                if quality == shown:
                    pair = np.concatenate([photo, x_hat], axis=1)
            means = np.mean(measured, axis=0)
            for name, mean in zip(("bpp", "psnr", "ssim"), means):
                figures[f"{name}_{quality:g}"] = float(mean)
        return {**figures, "score": float(np.mean(logs)), "reconstruction": pair[None]}

    def _judge(self, photo, x_hat, bpp, quality) -> float:
        images = (tf.cast(image[None], tf.float32) for image in (photo, x_hat))
        lmbda = self._codec.lmbda(tf.constant([quality]))
        return float(self._cost(*images, tf.constant([bpp]), lmbda)[0])


def _finite_psnr(x: np.ndarray, x_hat: np.ndarray) -> float:
    """PSNR in dB, 138 for equal images."""
    return 10 * math.log10(255**2 / max(mse(x, x_hat), 1e-9))


def _code(module, photo: np.ndarray, quality: float) -> tuple:
    """bpp of the strings and the decoded image, uint8."""
    height, width, _ = photo.shape
    coded = module.compress(photo, np.zeros(4, np.int32), quality)
    decoded = module.decoded(coded, height, width)
    strings = *coded["first"].numpy(), *coded["rest"].numpy()
    return 8 * sum(map(len, strings)) / (height * width), decoded.numpy()
