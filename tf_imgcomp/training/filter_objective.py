"""The training objective of a post-filter."""

from typing import Callable

import tensorflow as tf

from tf_imgcomp.losses.distortion import mean_squared_error
from tf_imgcomp.losses.registry import RESTORATION_LOSSES
from tf_imgcomp.losses.scales import SCALES, LossScales
from tf_imgcomp.postfilter.xue2019 import Xue2019


def restoration_objective(
    postfilter: Xue2019, loss: str, piece_min: int = 64, scales: LossScales = SCALES
) -> Callable:
    """The training objective of a filter, on images of pairs.

    One share of every batch stays whole, one is cut into 4 pieces and one into 16, if
    pieces are at least `piece_min` wide. So with crops of 256 pixels, the filter learns
    to pool over 256, 128 and 64 pixels.

    Args:
        postfilter: the filter.
        loss: name in `losses.registry.RESTORATION_LOSSES`.
        piece_min: smallest side of a piece, in pixels (Xue and Su 2019, section 4.1).
        scales: of the losses.

    Returns:
        Function of images of pairs, seed and quality (not used) that returns the loss
        and the metrics: mean squared errors on 0..255 without and with the filter, and
        the mean gain of the crops in dB.
    """

    def restored(images):
        decoded, x, setting = tf.split(images, 3, axis=-1)
        setting = tf.cast(setting[:, 0, 0, 0], tf.float32)
        x, x_hat = tf.cast(x, tf.float32), postfilter(decoded, setting)
        before = mean_squared_error(x, tf.cast(decoded, tf.float32))
        after = mean_squared_error(x, x_hat)
        gain = _decibel((before + 0.01) / (after + 0.01))
        return [
            RESTORATION_LOSSES[loss](x, x_hat, scales),
            *map(tf.reduce_mean, (before, after, gain)),
        ]

    def objective(images, seed, quality):
        pieces = 1 if seed is None else images.shape[1] // piece_min
        parts = _in_shares(images, [n for n in (1, 2, 4) if n <= max(pieces, 1)])
        figures = [
            part.shape[0] / images.shape[0] * tf.stack(restored(_cut(part, n)))
            for n, part in parts
        ]
        total, before, after, gain = tf.unstack(tf.add_n(figures))
        return total, {"mse_decoded": before, "mse": after, "gain": gain}

    return objective


def _in_shares(images: tf.Tensor, pieces: list) -> list:
    """Splits a batch into about equal shares, one for each number of pieces."""
    count = images.shape[0]
    borders = [round(count * n / len(pieces)) for n in range(len(pieces) + 1)]
    shares = zip(pieces, borders, borders[1:])
    return [(n, images[start:stop]) for n, start, stop in shares if start < stop]


def _cut(images: tf.Tensor, pieces: int) -> tf.Tensor:
    """Cuts images in `pieces` by `pieces` squares."""
    batch, height, width, channels = images.shape
    rows, columns = height // pieces, width // pieces
    grid = tf.reshape(images, [batch, pieces, rows, pieces, columns, channels])
    grid = tf.transpose(grid, [0, 1, 3, 2, 4, 5])
    return tf.reshape(grid, [batch * pieces**2, rows, columns, channels])


def _decibel(ratio):
    return 10 / tf.math.log(10.0) * tf.math.log(ratio)
