"""Scales and shifts that depend on the rate."""

import tensorflow as tf

from tf_imgcomp.layers.base import Block, register
from tf_imgcomp.layers.gain import interpolate_levels


@register
class LevelModulation(Block):
    """Conditions a network on the rate: scales and shifts its features per channel.

    Starts as the identity.

    Args:
        levels: int, at least 2.
    """

    arguments = ("levels",)

    def __init__(self, levels: int, **kwargs):
        super().__init__(**kwargs)
        self.levels = levels

    def build(self, shape):
        channels = shape[-1]
        self.scale = self.add_weight(
            "scale", (self.levels, channels), initializer="ones"
        )
        self.shift = self.add_weight(
            "shift", (self.levels, channels), initializer="zeros"
        )
        super().build(shape)

    def call(self, x, level):
        """Modulates `(b, h, w, c)` at `level`, float `(b,)`."""
        scale = tf.cast(interpolate_levels(self.scale, level), x.dtype)
        shift = tf.cast(interpolate_levels(self.shift, level), x.dtype)
        return x * scale[:, None, None, :] + shift[:, None, None, :]
