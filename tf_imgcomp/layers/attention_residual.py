"""The block of the post-filter: a residual with two attentions in it."""

from tf_imgcomp.layers.attention import ChannelAttention, SpatialAttention
from tf_imgcomp.layers.base import Block, conv, register


@register
class AttentionResidualBlock(Block):
    """Two 3x3 convolutions, weighted by channel, then by position, plus the input.

        x ─┬─► conv3x3 ─► ReLU ─► conv3x3 ─► CA ─► SA ─► (+) ─►
           └──────────────────────────────────────────────┘

    Args:
        filters: int. Channels of the input and of the result.
        reduction: int. Of the channel attention.

    Shape:
        float `(b, h, w, filters)` to the same.

    References:
        Xue and Su, "Attention Based Image Compression Post-Processing Convolutional
        Neural Network", CVPR Workshops 2019, figure 2
    """

    arguments = ("filters", "reduction")

    def __init__(self, filters: int, reduction: int = 16, **kwargs):
        super().__init__(**kwargs)
        self.filters, self.reduction = filters, reduction
        self.conv1 = conv(filters, 3, activation="relu", kernel_initializer="he_normal")
        self.conv2 = conv(filters, 3, kernel_initializer="he_normal")
        self.channel_attention = ChannelAttention(reduction)
        self.spatial_attention = SpatialAttention()

    def call(self, x):
        h = self.channel_attention(self.conv2(self.conv1(x)))
        return x + self.spatial_attention(h)
