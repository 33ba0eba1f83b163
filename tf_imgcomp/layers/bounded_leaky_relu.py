"""The activation of the networks from decoded latents to mixture parameters."""

import tensorflow as tf

from tf_imgcomp.layers.base import Block, register


@register
class BoundedLeakyReLU(Block):
    """Leaky ReLU with slope 1/8, clipped to [-8, 8].

    A power of two and a fixed range are what fixed-point arithmetic needs to repeat it
    exactly.
    """

    SLOPE = 1 / 8
    BOUND = 8.0

    def call(self, x):
        return tf.clip_by_value(tf.maximum(x, x * self.SLOPE), -self.BOUND, self.BOUND)
