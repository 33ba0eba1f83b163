"""xue2019: an attention residual network that improves decoded images."""

from dataclasses import dataclass

import tensorflow as tf

from tf_imgcomp.configured_model import ConfiguredModel, ModelConfig
from tf_imgcomp.layers import AttentionResidualBlock, LevelModulation
from tf_imgcomp.layers.base import conv, register
from tf_imgcomp.layers.precision import computing_in
from tf_imgcomp.ops.padding import pad_to_multiple

# Scale of the residual in grey levels, about the error at 0.15 bits per pixel. With it,
# the last layer learns well from features of about 1.
_RESIDUAL = 8.0
_DETAIL = 4.0  # Scales details of decoded photos to features of about 1.


@dataclass(frozen=True)
class Xue2019Config(ModelConfig):
    """Sizes; the defaults are size S, for two CPU cores.

    Attributes:
        blocks: number of attention residual blocks.
        filters: their channels.
        cell: side in pixels of the square that becomes one position of the blocks.
        reduction: reduction ratio of the channel attention.
        setting_min, setting_max: range of the codec's settings, such as QPs; settings
            outside are clipped to it.
        levels: number of settings with their own modulation, at least 2; modulations
            are interpolated linearly between them.
    """

    blocks: int = 7
    filters: int = 48
    cell: int = 2
    reduction: int = 16
    setting_min: float = 30.0
    setting_max: float = 46.0
    levels: int = 3


@register
class Xue2019(ConfiguredModel):
    """Convolution, attention residual blocks, convolution, plus the input.

    x ─┬─► cells ─► 3x3 ─► level ─► block.. ─► level ─► 3x3 ─► pixels ─► (+) ─► x_hat
       └──────────────────────────────────────────────────────────────────┘

    The last convolution starts at zero: an untrained filter changes nothing. Level
    modulations give the network the codec's setting. In mixed precision all but the
    sum is computed in 16 bits.

    Every block pools over the whole map to weight its channels, so each pixel depends
    on the whole image that it is given (a tile, see `image_codecs.filtered`).

    Args:
        config: `Xue2019Config`, or its fields as a dict.

    References:
        Xue and Su, "Attention Based Image Compression Post-Processing Convolutional
        Neural Network", CVPR Workshops 2019, https://arxiv.org/abs/1905.11045
    """

    config_class = Xue2019Config

    def __init__(self, config=None, **kwargs):
        super().__init__(config, **kwargs)
        config = self.config
        with computing_in(self.precision):
            self.head = conv(config.filters, 3, kernel_initializer=_zero_mean_kernel)
            self.head_modulation = LevelModulation(config.levels)
            self.blocks = [
                AttentionResidualBlock(config.filters, config.reduction)
                for _ in range(config.blocks)
            ]
            self.tail_modulation = LevelModulation(config.levels)
            self.tail = conv(3 * config.cell**2, 3, kernel_initializer="zeros")

    @property
    def reach(self) -> int:
        """Radius in pixels of the receptive field of all convolutions together."""
        block = 1 + 1 + 3  # Two 3x3 convolutions, and the 7x7 of spatial attention.
        return self.config.cell * (1 + self.config.blocks * block + 1)

    def level(self, setting: tf.Tensor) -> tf.Tensor:
        """Maps the codec's setting to a level in [0, levels - 1]."""
        config = self.config
        position = setting - config.setting_min
        position /= config.setting_max - config.setting_min
        return (config.levels - 1) * tf.clip_by_value(position, 0.0, 1.0)

    def call(self, images, setting):
        """Filters a batch.

        Args:
            images: uint8 or float `(b, h, w, 3)`, 0 to 255, decoded, any size.
            setting: float32 `(b,)`, the codec's settings.

        Returns:
            float32 `(b, h, w, 3)`, 0 to 255, neither rounded nor clipped.
        """
        height, width = tf.shape(images)[1], tf.shape(images)[2]
        x = tf.cast(images, self.compute_dtype) / 127.5 - 1.0
        level = self.level(setting)
        cells = self._to_cells(pad_to_multiple(x, self.config.cell))
        h = self.head_modulation(self.head(cells), level)
        for block in self.blocks:
            h = block(h)
        h = self._to_pixels(self.tail(self.tail_modulation(h, level)))
        residual = tf.cast(h[:, :height, :width], tf.float32)
        return tf.cast(images, tf.float32) + _RESIDUAL * residual

    def _to_cells(self, x):
        return tf.nn.space_to_depth(x, self.config.cell) if self.config.cell > 1 else x

    def _to_pixels(self, x):
        return tf.nn.depth_to_space(x, self.config.cell) if self.config.cell > 1 else x


def _zero_mean_kernel(shape, dtype=None) -> tf.Tensor:
    """An initial kernel that responds to differences, not to brightness.

    Coding errors show in differences. In short runs (60 s of training for BPG) filters
    gained three times as much from this start as from the usual one.
    """
    kernel = tf.keras.initializers.HeNormal()(shape, dtype)
    return _DETAIL * (kernel - tf.reduce_mean(kernel, [0, 1, 2]))
