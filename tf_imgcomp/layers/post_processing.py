"""A small network that improves decoded images."""

import tensorflow as tf

from tf_imgcomp.layers.attention import FastDeepResidualAttention
from tf_imgcomp.layers.base import Block, conv, register
from tf_imgcomp.layers.modulation import LevelModulation
from tf_imgcomp.layers.subpixel import SubpixelConv2D
from tf_imgcomp.ops.surroundings import cropped, run_in_shrinking_window


@register
class PostProcessing(Block):
    """The correction of a decoded image: attention blocks on cells of 4x4 pixels.

        x_hat ────► 4x4 cells ─► 3x3 ─► (+) ─► level ─► block.. ─► 3x3 ─► pixels
        features at 1/8 ─► 1x1 ─► up2 ───┘

    The last convolution starts at zero, so the first correction is zero.

    Args:
        blocks: int. Number of `FastDeepResidualAttention`.
        filters: int, a multiple of 4. Their channels.
        levels: int, at least 2. Number of rates with their own modulation.

    Shape:
        float `(b, h, w, 3)` and `(b, h / 8, w / 8, c)` to `(b, h, w, 3)`; `h` and `w`
        multiples of 8. With `crop`, int32 `(4,)`, pixels of surroundings at the top,
        bottom, left and right, multiples of 8, the result does not include them.
    """

    arguments = ("blocks", "filters", "levels")
    CELL = 4

    def __init__(self, blocks: int, filters: int, levels: int, **kwargs):
        super().__init__(**kwargs)
        self.blocks, self.filters, self.levels = blocks, filters, levels
        self.head = conv(filters, 3)
        self.up = SubpixelConv2D(filters, 1)
        self.modulation = LevelModulation(levels)
        self.residual = [FastDeepResidualAttention(filters) for _ in range(blocks)]
        self.tail = conv(3 * self.CELL**2, 3, kernel_initializer="zeros")

    @property
    def reach(self) -> int:
        """Cells around one that its correction depends on."""
        return 2 + sum(block.reach for block in self.residual)  # 2: head and tail.

    def call(self, x_hat, features, level, crop=None):
        h = self.head(tf.nn.space_to_depth(x_hat, self.CELL)) + self.up(features)
        h = self.modulation(h, level)
        h, crop = run_in_shrinking_window(self.residual, h, crop, self.CELL, 1)
        correction = tf.nn.depth_to_space(self.tail(h), self.CELL)
        return cropped(correction, crop)
