"""A learned transform that starts as a lapped cosine transform of opponent colours.

From random weights a codec needs hours to reach what a fixed linear transform gives at
once. These two layers start there: 16x16 blocks, a lapped orthogonal transform (no
block edges; coding gain 9.76 dB on an AR(1) signal with correlation 0.95, against
9.46 dB of the DCT), the coefficients with the largest variance in photos.
"""

from typing import Optional

import numpy as np
import tensorflow as tf

from tf_imgcomp.layers.base import Block, register
from tf_imgcomp.ops import bases

BLOCK = 16
COLOURS = 3

# The learned part is scaled by a tenth, which lowers its learning rate: with that of
# the networks beside it, the basis would become noise.
DELTA_WEIGHT = 0.1


def _filter_borders(x: tf.Tensor, matrix: np.ndarray) -> tf.Tensor:
    """Applies `matrix` to the 16 samples around each border of rows and columns."""
    matrix = tf.constant(matrix, x.dtype)
    half = BLOCK // 2
    for _ in range(2):
        batch, height, width, channels = tf.unstack(tf.shape(x))
        top, inner, bottom = tf.split(x, [half, height - BLOCK, half], axis=1)
        inner = tf.reshape(inner, [batch, -1, BLOCK, width * channels])
        inner = tf.matmul(matrix, inner)
        inner = tf.reshape(inner, [batch, -1, width, channels])
        x = tf.concat([top, inner, bottom], axis=1)
        x = tf.transpose(x, [0, 2, 1, 3])
    return tf.ensure_shape(x, [None, None, None, COLOURS])


def _multiply(x: tf.Tensor, matrix: tf.Tensor) -> tf.Tensor:
    """`x matrix`, in two dimensions: else the gradient has a matrix for each row."""
    rows = tf.matmul(tf.reshape(x, [-1, x.shape[-1]]), matrix)
    return tf.reshape(rows, tf.concat([tf.shape(x)[:-1], [matrix.shape[-1]]], 0))


class _Transform(Block):
    """The basis, its learned part, and `deviations` of its coefficients on photos."""

    arguments = ("channels", "learned")

    def __init__(self, channels: int, learned: Optional[int] = None, **kwargs):
        super().__init__(**kwargs)
        self.channels, self.learned = channels, learned or channels
        chosen, deviations = bases.ranked_coefficients(BLOCK, channels)
        rows, columns, colours = chosen
        self.deviations = deviations.astype(np.float32)
        dct = bases.dct2(BLOCK).astype(np.float32)
        opponent = bases.OPPONENT_COLOURS.astype(np.float32)
        self._factors = dct[rows], dct[columns], opponent[colours]
        self.delta = self.add_weight(
            "delta", (BLOCK * BLOCK * COLOURS, self.learned), initializer="zeros"
        )

    def constants(self) -> dict:
        """The fixed part of the transform, in six digits, as JSON takes it."""
        factors = [np.round(factor, 6).tolist() for factor in self._factors]
        prefilter = np.round(bases.lapped_prefilter(BLOCK), 6).tolist()
        return {
            "basis": factors,
            "prefilter": prefilter,
            "delta_weight": DELTA_WEIGHT,
        }

    def _kernel(self, dtype) -> tf.Tensor:
        """`(768, channels)`; the basis is a product, small in a saved graph."""
        factors = [tf.cast(factor, self.variable_dtype) for factor in self._factors]
        basis = tf.einsum("ci,cj,ck->ijkc", *factors)
        basis = tf.reshape(basis, [-1, self.channels])
        # In mixed precision `delta` reads as 16 bits: the sum is rounded once, after.
        delta = tf.cast(self.delta, self.variable_dtype)
        delta = tf.pad(delta, [[0, 0], [0, self.channels - self.learned]])
        return tf.cast(basis + DELTA_WEIGHT * delta, dtype)


@register
class LappedTransform(_Transform):
    """Image to orthonormal coefficients, those of largest variance in photos first.

    Args:
        channels: int, at most 768. How many coefficients a 16x16 block keeps.
        learned: int. How many of them, from the first on, have a learned part; None:
            all.

    Shape:
        float `(b, h, w, 3)` in [-1, 1], `h` and `w` multiples of 16, to
        `(b, h / 16, w / 16, channels)`.
    """

    def call(self, x):
        x = _filter_borders(x, bases.lapped_prefilter(BLOCK))
        blocks = tf.nn.space_to_depth(x, BLOCK)
        return _multiply(blocks, self._kernel(x.dtype))


@register
class InverseLappedTransform(_Transform):
    """Coefficients of `LappedTransform` to an image, `(b, h, w, 3)`.

    All of them, or only the first ones; the others are then zero.
    """

    def energies(self):
        """Sums of the squares of each basis image, float32 `(channels,)`."""
        return tf.reduce_sum(tf.square(self._kernel(tf.float32)), 0)

    def call(self, y):
        kernel = self._kernel(y.dtype)[:, : y.shape[-1]]
        blocks = _multiply(y, tf.transpose(kernel))
        x = tf.nn.depth_to_space(blocks, BLOCK)
        return _filter_borders(x, bases.lapped_prefilter(BLOCK).T)
