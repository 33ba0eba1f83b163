"""The post-quantization filter: a correction of rounded latents."""

import tensorflow as tf

from tf_imgcomp.layers.base import Block, conv, register
from tf_imgcomp.layers.log_features import LogFeatures
from tf_imgcomp.layers.modulation import LevelModulation


@register
class PostQuantizationFilter(Block):
    """Predicts a correction of rounding errors in latents (PQF).

        y_hat ─► log features ─► conv3x3 ─► rate ─► relu ─► conv3x3 ─►

    It works in quantizer steps, in which rounding errors have one size in all channels
    and at all rates. It starts at zero. The caller adds the correction: in mixed
    precision, latents have more bits than the layer.

    Args:
        filters: int. Channels inside.
        depth: int. Channels of the latents.
        levels: int, at least 2. Rates with a modulation of their own.

    References:
        Fu et al., "Asymmetric Learned Image Compression with Multi-Scale Residual
        Block, Importance Map, and Post-Quantization Filtering", 2022,
        https://arxiv.org/abs/2206.10618
    """

    arguments = ("filters", "depth", "levels")

    def __init__(self, filters: int, depth: int, levels: int, **kwargs):
        super().__init__(**kwargs)
        self.filters, self.depth, self.levels = filters, depth, levels
        self.log_features, self.modulation = LogFeatures(), LevelModulation(levels)
        self.conv1 = conv(filters, 3)
        self.conv2 = conv(depth, 3, kernel_initializer="zeros")

    def call(self, y_hat, level):
        """The correction of `(b, h, w, depth)` at `level`, float `(b,)`."""
        h = self.modulation(self.conv1(self.log_features(y_hat)), level)
        return self.conv2(tf.nn.relu(h))
