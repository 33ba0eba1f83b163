"""Convolutions of several sizes side by side."""

import tensorflow as tf

from tf_imgcomp.layers.base import Block, conv, register
from tf_imgcomp.layers.frequency import MultiFrequencyChannelAttention
from tf_imgcomp.layers.residual import LEAKY_SLOPE

SIZES = (1, 3, 5, 7)


@register
class PyramidConvolution(Block):
    """The pyramid multi-scale convolution (PMCN) with multi-frequency attention.

        x ─┬─ split ─┬─► conv1x1 ─┬─ concat ─► leaky ─► attention ─► 1x1 ─► (+) ─►
           │         ├─► conv3x3 ─┤                                          │
           │         ├─► conv5x5 ─┤                                          │
           │         └─► conv7x7 ─┘                                          │
           └─────────────────────────────────────────────────────────────────┘

    Each quarter of the channels has a kernel of another size. The last 1x1 convolution
    mixes them; it starts at zero, so the module starts as the identity. The module
    takes 6.25 c**2 multiplications a position.

    Args:
        filters: int, a multiple of 4. Channels of the input and of the result.
        form: form of the attention, see `MultiFrequencyChannelAttention`.
        extent: its extent, in positions.

    Shape:
        float `(b, h, w, filters)` to the same.

    References:
        Pothireddy and Poojita, "Multiscale Image Compression with Attention-Enhanced
        Discrete Cosine Transform Models", IIT Jodhpur 2024, section III.2
    """

    arguments = ("filters", "form", "extent")

    def __init__(self, filters: int, form: str, extent: int, **kwargs):
        super().__init__(**kwargs)
        self.filters, self.form, self.extent = filters, form, extent
        self.scales = [conv(filters // len(SIZES), size) for size in SIZES]
        self.mix = conv(filters, 1, kernel_initializer="zeros")
        self.attention = MultiFrequencyChannelAttention(form, extent)

    def call(self, x):
        groups = tf.split(x, len(SIZES), axis=-1)
        scales = [layer(group) for layer, group in zip(self.scales, groups)]
        h = tf.nn.leaky_relu(tf.concat(scales, axis=-1), LEAKY_SLOPE)
        return x + self.mix(self.attention(h))
