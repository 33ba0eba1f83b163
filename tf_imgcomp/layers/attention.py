"""Attention modules: weights for channels and for positions."""

from typing import Optional

import tensorflow as tf

from tf_imgcomp.layers.base import Block, conv, register
from tf_imgcomp.layers.residual import LEAKY_SLOPE


@register
class ResidualUnit(Block):
    """A bottleneck, 1x1 to fewer channels, 3x3, 1x1 back, plus the input.

    Args:
        filters: int. Channels of the input and of the result.
        inner: int. Channels between; None: half of `filters`, as in the paper.

    References:
        Cheng et al., CVPR 2020, figure 5
    """

    arguments = ("filters", "inner")

    def __init__(self, filters: int, inner: Optional[int] = None, **kwargs):
        super().__init__(**kwargs)
        self.filters, self.inner = filters, inner or filters // 2
        self.reduce, self.conv = conv(self.inner, 1), conv(self.inner, 3)
        self.expand = conv(filters, 1)

    def call(self, x):
        h = tf.nn.relu(self.conv(tf.nn.relu(self.reduce(x))))
        return tf.nn.relu(x + self.expand(h))


@register
class SimplifiedAttention(Block):
    """A trunk of residual units, weighted by a mask made by three others.

    `x + trunk(x) * sigmoid(conv1x1(mask(x)))`: 20.5 c**2 multiplications a position
    as in the paper.

    Args:
        filters: int. Channels of the input and of the result.
        inner: int. Channels inside the residual units, see `ResidualUnit`.

    References:
        Cheng et al., CVPR 2020, section 3.4
    """

    arguments = ("filters", "inner")

    def __init__(self, filters: int, inner: Optional[int] = None, **kwargs):
        super().__init__(**kwargs)
        self.filters, self.inner = filters, inner
        self.trunk = [ResidualUnit(filters, inner) for _ in range(3)]
        self.mask = [ResidualUnit(filters, inner) for _ in range(3)]
        self.gate = conv(filters, 1)

    def call(self, x):
        trunk = mask = x
        for unit in self.trunk:
            trunk = unit(trunk)
        for unit in self.mask:
            mask = unit(mask)
        return x + trunk * tf.sigmoid(self.gate(mask))


@register
class ChannelAttention(Block):
    """Weights the channels by their means and maxima.

    `x * sigmoid(mlp(mean(x)) + mlp(max(x)))`, pooled over the whole map, so that the
    result depends on the extent of the image.

    Args:
        reduction: int. The hidden layer has `c / reduction` units.

    References:
        Woo et al., "CBAM: Convolutional Block Attention Module", ECCV 2018
    """

    arguments = ("reduction",)

    def __init__(self, reduction: int = 16, **kwargs):
        super().__init__(**kwargs)
        self.reduction = reduction

    def build(self, shape):
        hidden = max(1, shape[-1] // self.reduction)
        dtype = self.dtype_policy  # That of its making, not of the first call.
        self.hidden = tf.keras.layers.Dense(hidden, activation="relu", dtype=dtype)
        self.output_layer = tf.keras.layers.Dense(shape[-1], dtype=dtype)
        super().build(shape)

    def call(self, x):
        pooled = tf.stack([tf.reduce_mean(x, [1, 2]), tf.reduce_max(x, [1, 2])], axis=1)
        logits = tf.reduce_sum(self.output_layer(self.hidden(pooled)), axis=1)
        return x * tf.sigmoid(logits)[:, None, None, :]


@register
class SpatialAttention(Block):
    """Weights the positions by the mean and the maximum over their channels.

    `x * sigmoid(conv7x7([max(x), mean(x)]))`.

    Args:
        size: int. Side of the kernel.

    References:
        Woo et al., "CBAM: Convolutional Block Attention Module", ECCV 2018
    """

    arguments = ("size",)

    def __init__(self, size: int = 7, **kwargs):
        super().__init__(**kwargs)
        self.size = size
        self.conv = conv(1, size)

    def call(self, x):
        pooled = [tf.reduce_max(x, -1, True), tf.reduce_mean(x, -1, True)]
        return x * tf.sigmoid(self.conv(tf.concat(pooled, axis=-1)))


@register
class FastDeepResidualAttention(Block):
    """Our attention module: trunk and mask share one convolution.

        x ─┬─► conv3x3 ─┬─ trunk ─► leaky ─► (*) ─► conv3x3 ─► (+) ─►
           │            └─ mask ─► (+) ─► sigmoid ─┘             │
           ├─► mean2x2 ─► 1x1 ─► 3x3 ─► 1x1 ─► up2 ─┘            │
           └─────────────────────────────────────────────────────┘

    The mask sees its own neighbourhood through the shared convolution and a wide one
    through a branch at half resolution, where it is nearly free. Two wide 3x3
    convolutions replace the simplified attention module's six residual units of three
    thin layers each. The last convolution starts at zero: the module starts as the
    identity.

    It costs 13.7 c**2 multiplications a position, the simplified attention module
    20.5 c**2. In a short controlled training (`benchmarks/attention.py`: 200 steps of
    restoring quantized photos, c = 96, means over 3 seeds, each network with its best
    learning rate) two modules of this kind gained 0.122 dB, two simplified ones
    0.093 dB for 1.5 times the multiplications; five of this kind gained 0.126 dB, four
    simplified ones 0.055 dB for 1.2 times the multiplications.

    Args:
        filters: int, a multiple of 4. Channels of the input and of the result.

    Shape:
        float `(b, h, w, filters)` to the same, `h` and `w` even.
    """

    arguments = ("filters",)
    reach = 4  # Positions: 3 of the wide branch, 1 of the last convolution.

    def __init__(self, filters: int, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.shared = conv(filters, 3)
        self.wide = [
            conv(filters // 4, 1, activation=tf.nn.leaky_relu),
            conv(filters // 4, 3, activation=tf.nn.leaky_relu),
            conv(filters // 2, 1),
        ]
        self.project = conv(filters, 3, kernel_initializer="zeros")

    def call(self, x):
        trunk, mask = tf.split(self.shared(x), 2, axis=-1)
        wide = tf.nn.avg_pool2d(x, 2, 2, "VALID")
        for layer in self.wide:
            wide = layer(wide)
        wide = tf.repeat(tf.repeat(wide, 2, axis=1), 2, axis=2)
        h = tf.nn.leaky_relu(trunk, LEAKY_SLOPE) * tf.sigmoid(mask + wide)
        return x + self.project(h)
