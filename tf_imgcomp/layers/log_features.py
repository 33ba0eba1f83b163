"""Logarithms of latents, as the input of networks."""

import tensorflow as tf

from tf_imgcomp.layers.base import Block, register


@register
class LogFeatures(Block):
    """Two features of each value: log2(1 + |y|), with and without the sign.

    Latents span three decades over channels and rates; their logarithms fit one
    fixed-point range, and a magnitude says more about a neighbour's scale than a
    signed value does.

    Args:
        magnitudes: bool. False leaves out the features without the sign.

    Shape:
        float `(..., c)` to `(..., 2 * c)`, signed first, or `(..., c)`.
    """

    arguments = ("magnitudes",)

    def __init__(self, magnitudes: bool = True, **kwargs):
        super().__init__(**kwargs)
        self.magnitudes = magnitudes

    def call(self, y):
        magnitude = tf.math.log1p(tf.abs(y)) * 1.4426950408889634  # log2
        signed = tf.sign(y) * magnitude
        return tf.concat([signed, magnitude], -1) if self.magnitudes else signed
