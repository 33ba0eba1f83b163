"""Validation on real bits: what files of the validation photos would weigh."""

import math
from collections.abc import Sequence
from typing import Callable

import numpy as np

from tf_imgcomp.codecs.base import Codec

QUALITIES = (5.0, 25.0, 50.0, 75.0, 95.0)


class RealBits:
    """Codes photos with the integer coder, as an export would.

    Args:
        codec: the codec in training.
        photos: uint8 `(h, w, 3)` each, photos that training does not see.
        make_module: function that makes of a codec what an export would: an object
            with `compress` and `decompress`.
    """

    def __init__(
        self, codec: Codec, photos: Sequence[np.ndarray], make_module: Callable
    ):
        self._codec, self._photos, self._make_module = codec, list(photos), make_module

    def __call__(self) -> dict:
        """Mean bpp and PSNR at five qualities, the score, and one reconstruction.

        The score is the mean log of the Lagrangian, so that every rate counts alike.
        """
        module = self._make_module(self._codec)
        figures, logs = {}, []
        for quality in QUALITIES:
            lmbda = float(self._codec.lmbda(quality))
            bpps, mses = [], []
            for photo in self._photos:
                bpp, x_hat = _code(module, photo, quality)
                bpps.append(bpp)
                mses.append(np.mean((x_hat.astype(np.float64) - photo) ** 2))
                if quality == QUALITIES[1]:
                    pair = np.concatenate([photo, x_hat], axis=1)
            logs += [math.log(b + lmbda * m) for b, m in zip(bpps, mses)]
            psnr = [10 * math.log10(255**2 / max(mse, 1e-9)) for mse in mses]
            figures[f"bpp_{quality:g}"] = float(np.mean(bpps))
            figures[f"psnr_{quality:g}"] = float(np.mean(psnr))
        return {**figures, "score": float(np.mean(logs)), "reconstruction": pair[None]}


def _code(module, photo: np.ndarray, quality: float) -> tuple:
    """bpp of the strings and the decoded image, uint8."""
    height, width, _ = photo.shape
    coded = module.compress(photo, quality)
    decoded = module.decompress(coded["strings"], height, width, coded["quality"])
    bits = 8 * sum(map(len, coded["strings"].numpy()))
    return bits / (height * width), decoded["image"].numpy()
