"""Residual blocks at one resolution, downwards and upwards (Cheng et al. 2020)."""

from typing import Optional

import tensorflow as tf

from tf_imgcomp.layers.base import Block, conv, register
from tf_imgcomp.layers.gdn import GDN
from tf_imgcomp.layers.subpixel import SubpixelConv2D

LEAKY_SLOPE = 0.01  # Cheng et al. 2020, authors' code.


@register
class ResidualBlock(Block):
    """Two 3x3 convolutions with LeakyReLU, plus the input.

    Args:
        filters: int. Channels of the input and of the result.
        inner: int. Channels between the convolutions; None: `filters`, as in the paper.

    Shape:
        float `(b, h, w, filters)` to the same.

    References:
        Cheng et al., "Learned Image Compression with Discretized Gaussian Mixture
        Likelihoods and Attention Modules", CVPR 2020, figure 4
    """

    arguments = ("filters", "inner")
    reach = 2  # Positions: 1 of each convolution.

    def __init__(self, filters: int, inner: Optional[int] = None, **kwargs):
        super().__init__(**kwargs)
        self.filters, self.inner = filters, inner or filters
        self.conv1, self.conv2 = conv(self.inner, 3), conv(filters, 3)

    def call(self, x):
        h = tf.nn.leaky_relu(self.conv1(x), LEAKY_SLOPE)
        return x + tf.nn.leaky_relu(self.conv2(h), LEAKY_SLOPE)


@register
class ResidualDownsample(Block):
    """Halves the map: strided convolution, convolution and GDN, plus a 1x1 skip.

    Args:
        filters: int. Channels of the result.

    Shape:
        float `(b, h, w, c)` to `(b, ceil(h / 2), ceil(w / 2), filters)`.

    References:
        Cheng et al., CVPR 2020, figure 4
    """

    arguments = ("filters",)

    def __init__(self, filters: int, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.conv1, self.conv2 = conv(filters, 3, 2), conv(filters, 3)
        self.norm, self.skip = GDN(), conv(filters, 1)

    def call(self, x):
        h = tf.nn.leaky_relu(self.conv1(x), LEAKY_SLOPE)
        # The gradient of a strided 1x1 convolution crashes TensorFlow 2.14 on a CPU.
        return self.norm(self.conv2(h)) + self.skip(x[:, ::2, ::2])


@register
class ResidualUpsample(Block):
    """Doubles the map: sub-pixel convolution, convolution and inverse GDN, plus a skip.

    Args:
        filters: int. Channels of the result.

    Shape:
        float `(b, h, w, c)` to `(b, 2 * h, 2 * w, filters)`.

    References:
        Cheng et al., CVPR 2020, figure 4
    """

    arguments = ("filters",)

    def __init__(self, filters: int, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.up, self.conv = SubpixelConv2D(filters), conv(filters, 3)
        self.norm, self.skip = GDN(inverse=True), SubpixelConv2D(filters, 1)

    def call(self, x):
        h = tf.nn.leaky_relu(self.up(x), LEAKY_SLOPE)
        return self.norm(self.conv(h)) + self.skip(x)
