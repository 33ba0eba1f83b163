"""Layers that predict a latent from decoded neighbours."""

import tensorflow as tf

from tf_imgcomp.layers.base import Block, register
from tf_imgcomp.ops import checkerboard, quads, raster


class _NeighbourConv2D(Block):
    """A 5x5 convolution of which only the taps on decoded positions exist."""

    arguments = ("filters",)

    def __init__(self, filters: int, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.dense = tf.keras.layers.Dense(filters)

    def call(self, x):
        return self.dense(self.neighbours(x))


@register
class CheckerboardConv2D(_NeighbourConv2D):
    """A 5x5 convolution over anchors, evaluated at the other positions only.

    Of the 25 taps around a position with i + j odd, 12 meet anchors; only these exist.

    Args:
        filters: int. Channels of the result.

    Shape:
        float `(b, h / 2, w, c)`, the anchors of `ops.checkerboard.split`, to
        `(b, h / 2, w, filters)`, the other positions.

    References:
        He et al., "Checkerboard Context Model for Efficient Learned Image
        Compression", CVPR 2021, https://arxiv.org/abs/2103.15306
    """

    neighbours = staticmethod(checkerboard.anchors_around_others)


@register
class RasterConv2D(_NeighbourConv2D):
    """A 5x5 convolution over the positions that come before, in raster order.

    Its weights are a matrix over the 12 taps, in the order of `ops.raster.TAPS`: a
    decoder gathers them for the positions of a wavefront only.

    Args:
        filters: int. Channels of the result.

    Shape:
        float `(b, h, w, c)` to `(b, h, w, filters)`.

    References:
        Minnen, Balle and Toderici, "Joint Autoregressive and Hierarchical Priors for
        Learned Image Compression", NeurIPS 2018
    """

    neighbours = staticmethod(raster.all_neighbours)


@register
class QuadConv2D(Block):
    """5x5 convolutions over the passes so far, one for each of the three that follow.

    Args:
        filters: int. Channels of the result.

    Shape:
        one to three maps float `(b, h / 2, w / 2, c)`, the first of
        `ops.quads.split`, to `(b, h / 2, w / 2, filters)`, the next one.

    References:
        Li, Li and Lu, "Neural Video Compression with Diverse Contexts", CVPR 2023,
        https://arxiv.org/abs/2302.14402
    """

    arguments = ("filters",)

    def __init__(self, filters: int, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        count = len(quads.POSITIONS) - 1
        self.dense = [tf.keras.layers.Dense(filters) for _ in range(count)]

    def call(self, *decoded):
        return self.dense[len(decoded) - 1](quads.neighbours(decoded))
