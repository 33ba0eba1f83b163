"""The importance map: a weight for every latent."""

import tensorflow as tf

from tf_imgcomp.layers.base import Block, conv, register
from tf_imgcomp.layers.gdn import GDN
from tf_imgcomp.layers.residual import ResidualBlock


@register
class ImportanceMap(Block):
    """Weights from 0 to 2 for the latents of an image, 1 at the start.

        features ─► conv3x3 s2 ─► GDN ─► residual block ─► 1x1 ─► 2 sigmoid ─►

    Latents are multiplied by the weights before rounding. Weights take no bits: a
    latent that they bring below one half is rounded to zero, which costs little, and a
    decoder does not need the weights.

    Args:
        filters: int. Channels inside.
        depth: int. Channels of the latents.

    Shape:
        float `(b, h, w, c)` to `(b, ceil(h / 2), ceil(w / 2), depth)`.

    References:
        Fu et al., "Asymmetric Learned Image Compression with Multi-Scale Residual
        Block, Importance Map, and Post-Quantization Filtering", 2022,
        https://arxiv.org/abs/2206.10618
    """

    arguments = ("filters", "depth")

    def __init__(self, filters: int, depth: int, **kwargs):
        super().__init__(**kwargs)
        self.filters, self.depth = filters, depth
        self.down, self.norm = conv(filters, 3, 2), GDN()
        self.residual = [ResidualBlock(filters)]  # Weights have this path.
        self.weigh = conv(depth, 1, kernel_initializer="zeros")

    def call(self, features):
        (block,) = self.residual
        h = block(self.norm(self.down(features)))
        return 2 * tf.sigmoid(self.weigh(h))
