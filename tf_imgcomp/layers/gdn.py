"""Generalized divisive normalization."""

import tensorflow as tf

from tf_imgcomp.layers.base import Block, register


@register
class GDN(Block):
    """Divides each channel by a learned pool of all channels' energies.

    `y[i] = x[i] / sqrt(beta[i] + sum_j gamma[j, i] * x[j] ** 2)`; the inverse
    multiplies instead. Parameters are stored as square roots, which keeps them
    positive and their gradients tame near zero.

    Args:
        inverse: bool. Multiply (in synthesis) instead of divide (in analysis).

    Shape:
        float `(b, h, w, c)` to the same.

    References:
        Balle, Laparra and Simoncelli, "Density Modeling of Images using a Generalized
        Normalization Transformation", ICLR 2016, https://arxiv.org/abs/1511.06281
    """

    arguments = ("inverse",)
    BETA_MIN = 1e-6

    def __init__(self, inverse: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.inverse = inverse

    def build(self, shape):
        channels = shape[-1]
        self.beta_root = self.add_weight("beta_root", (channels,), initializer="ones")
        self.gamma_root = self.add_weight(
            "gamma_root",
            (channels, channels),
            initializer=lambda shape, dtype=None: tf.sqrt(
                0.1 * tf.eye(*shape, dtype=dtype) + 1e-6
            ),
        )
        super().build(shape)

    def call(self, x):
        gamma = tf.square(self.gamma_root)[None, None]
        beta = tf.square(self.beta_root) + self.BETA_MIN
        norm = tf.sqrt(tf.nn.conv2d(tf.square(x), gamma, 1, "SAME") + beta)
        return x * norm if self.inverse else x / norm
