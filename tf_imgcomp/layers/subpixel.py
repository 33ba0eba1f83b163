"""Sub-pixel convolution."""

import tensorflow as tf

from tf_imgcomp.layers.base import Block, conv, register


@register
class SubpixelConv2D(Block):
    """A convolution to `factor**2` times the channels, then depth to space.

    Args:
        filters: int. Channels of the result.
        size: int. Side of the kernel.
        factor: int, at least 1. How many times larger the map becomes.

    Shape:
        float `(b, h, w, c)` to `(b, factor * h, factor * w, filters)`.

    References:
        Shi et al., "Real-Time Single Image and Video Super-Resolution Using an
        Efficient Sub-Pixel Convolutional Neural Network", CVPR 2016
    """

    arguments = ("filters", "size", "factor")

    def __init__(self, filters: int, size: int = 3, factor: int = 2, **kwargs):
        super().__init__(**kwargs)
        self.filters, self.size, self.factor = filters, size, factor
        self.conv = conv(filters * factor**2, size)

    def call(self, x):
        h = self.conv(x)
        return tf.nn.depth_to_space(h, self.factor) if self.factor > 1 else h
