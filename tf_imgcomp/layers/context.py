"""What predicts a latent from decoded neighbours."""

import tensorflow as tf

from tf_imgcomp.layers.base import Block, register
from tf_imgcomp.ops import checkerboard


@register
class LogFeatures(Block):
    """Two features of each value: log2(1 + |y|), with and without the sign.

    Latents span three decades over channels and rates; their logarithms fit one
    fixed-point range, and a magnitude says more about a neighbour's scale than a
    signed value does.

    Shape:
        float `(..., c)` to `(..., 2 * c)`, signed first.
    """

    def call(self, y):
        magnitude = tf.math.log1p(tf.abs(y)) * 1.4426950408889634  # log2
        return tf.concat([tf.sign(y) * magnitude, magnitude], axis=-1)


@register
class CheckerboardConv2D(Block):
    """A 5x5 convolution over anchors, evaluated at the other positions only.

    Of the 25 taps around a position with i + j odd, 12 meet anchors; only these exist.

    Args:
        filters: int. Channels of the result.

    Shape:
        float `(b, h, w, c)`, even sides, to `(b, h / 2, w, filters)`:
        the colour "others" of `ops.checkerboard.split`.

    References:
        He et al., "Checkerboard Context Model for Efficient Learned Image
        Compression", CVPR 2021, https://arxiv.org/abs/2103.15306
    """

    arguments = ("filters",)

    def __init__(self, filters: int, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.dense = tf.keras.layers.Dense(filters)

    def call(self, x):
        return self.dense(checkerboard.anchors_around_others(x))
