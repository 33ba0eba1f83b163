"""Gain units: one set of weights for every rate (Cui et al. 2021)."""

import tensorflow as tf

from tf_imgcomp.layers.base import Block, register


def interpolate_levels(table: tf.Tensor, level: tf.Tensor) -> tf.Tensor:
    """Rows of a table at fractional levels.

    Args:
        table: float `(levels, c)`.
        level: float `(b,)` in [0, levels - 1].

    Returns:
        float `(b, c)`.
    """
    table = tf.convert_to_tensor(table)  # tf.gather reads variables past `replaced`.
    below = tf.clip_by_value(tf.floor(level), 0, table.shape[0] - 2)
    weight = tf.cast(level - below, table.dtype)[:, None]
    below = tf.cast(below, tf.int32)
    low, high = tf.gather(table, below), tf.gather(table, below + 1)
    return low + weight * (high - low)


@register
class GainUnit(Block):
    """Learned gains per channel at a few trained levels, log-linear between them.

    Args:
        log2_start: float. Initial log2 of the gain at level 0.
        log2_stop: float. The same at the last level.
        levels: int, at least 2.
        channels: int.

    References:
        Cui et al., "Asymmetric Gained Deep Image Compression With Continuous Rate
        Adaptation", CVPR 2021, https://arxiv.org/abs/2003.02012
    """

    arguments = ("log2_start", "log2_stop", "levels", "channels")

    def __init__(
        self,
        log2_start: float,
        log2_stop: float,
        levels: int,
        channels: int,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.log2_start, self.log2_stop = log2_start, log2_stop
        self.levels, self.channels = levels, channels
        ramp = tf.linspace(log2_start, log2_stop, levels)[:, None]
        self.log2_gain = self.add_weight(
            "log2_gain",
            (levels, channels),
            initializer=lambda shape, dtype: tf.cast(
                tf.broadcast_to(ramp, shape), dtype
            ),
        )

    def log2(self, level: tf.Tensor) -> tf.Tensor:
        """log2 of the gains, float `(b, channels)`, at levels `(b,)`."""
        return interpolate_levels(self.log2_gain, level)

    def call(self, x, level):
        """Multiplies `(b, h, w, channels)` by the gains at `level`, float `(b,)`.

        Or only the first channels, if x has fewer.
        """
        gain = 2.0 ** self.log2(level)[:, : x.shape[-1]]
        return x * tf.cast(gain, x.dtype)[:, None, None, :]
