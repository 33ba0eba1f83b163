"""A small network that improves a decoded image."""

import tensorflow as tf

from tf_imgcomp.layers.attention_residual import AttentionResidualBlock
from tf_imgcomp.layers.base import Block, conv, register
from tf_imgcomp.layers.modulation import LevelModulation


@register
class PostProcessing(Block):
    """The correction of a decoded image: attention residual blocks on cells of pixels.

        x_hat ─► 4x4 cells ─► 3x3 ─► level ─► block.. ─► 3x3 ─► pixels

    The last convolution starts at zero, and so does the correction. The blocks are
    those of the post-filter `xue2019`, which pool over the whole map.

    Args:
        blocks: int. How many.
        filters: int. Their channels.
        levels: int, at least 2. Rates with a modulation of their own.

    Shape:
        float `(b, h, w, 3)` to the same, `h` and `w` multiples of 4.
    """

    arguments = ("blocks", "filters", "levels")
    CELL = 4

    def __init__(self, blocks: int, filters: int, levels: int, **kwargs):
        super().__init__(**kwargs)
        self.blocks, self.filters, self.levels = blocks, filters, levels
        self.head = conv(filters, 3)
        self.modulation = LevelModulation(levels)
        self.residual = [AttentionResidualBlock(filters) for _ in range(blocks)]
        self.tail = conv(3 * self.CELL**2, 3, kernel_initializer="zeros")

    def call(self, x_hat, level):
        h = self.head(tf.nn.space_to_depth(x_hat, self.CELL))
        h = self.modulation(h, level)
        for block in self.residual:
            h = block(h)
        return tf.nn.depth_to_space(self.tail(h), self.CELL)
