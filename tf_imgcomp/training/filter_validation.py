"""Validation of a post-filter in training, on whole images."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import tensorflow as tf

from tf_imgcomp.data.pairs import Pair, unstack
from tf_imgcomp.metrics import ms_ssim, psnr
from tf_imgcomp.ops.graphs import graph_function
from tf_imgcomp.postfilter.inference import restore
from tf_imgcomp.postfilter.xue2019 import Xue2019


class RestorationGain:
    """The gain of a filter on whole 8-bit images.

    Args:
        postfilter: the filter in training.
        images: held-out images of pairs, uint8 `(3 * h, w, 3)`.
    """

    def __init__(self, postfilter: Xue2019, images: Sequence[np.ndarray]):
        self._postfilter = postfilter
        self._pairs = list(map(unstack, images))
        self._restore = graph_function(
            partial(restore, postfilter),
            input_signature=[
                tf.TensorSpec((None, None, 3), tf.uint8),
                tf.TensorSpec((), tf.float32),
            ],
        )

    def __call__(self) -> dict:
        """PSNR and MS-SSIM without and with the filter, the gain, the score, a picture.

        The score is the negated mean gain in dB.
        """
        measured = np.array([self._measure(pair) for pair in self._pairs])
        before, after, similar_before, similar_after = measured.mean(axis=0)
        gains = measured[:, 1] - measured[:, 0]
        decoded, original, setting = self._pairs[0]
        x_hat = self._restore(decoded, float(setting)).numpy()
        return {
            "psnr_decoded": float(before),
            "psnr": float(after),
            "gain": float(gains.mean()),
            "gain_min": float(gains.min()),
            "ms_ssim_decoded": float(similar_before),
            "ms_ssim": float(similar_after),
            "score": -float(gains.mean()),
            "reconstruction": np.concatenate([original, decoded, x_hat], axis=1)[None],
        }

    def _measure(self, pair: Pair) -> tuple:
        decoded, original, setting = pair
        x_hat = self._restore(decoded, float(setting)).numpy()
        return (
            psnr(original, decoded),
            psnr(original, x_hat),
            ms_ssim(original, decoded),
            ms_ssim(original, x_hat),
        )
