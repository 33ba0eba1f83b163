"""Codecs whose transforms are a lapped cosine transform plus a network.

The networks start at zero, so such a codec works before its first training step. A
subclass chooses the modules of the networks.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import tensorflow as tf

from tf_imgcomp.codecs.base import Codec, CodecConfig
from tf_imgcomp.layers import (
    InverseLappedTransform,
    LappedTransform,
    LevelModulation,
    LogFeatures,
    SubpixelConv2D,
)
from tf_imgcomp.layers.base import conv
from tf_imgcomp.ops.padding import pad_to_multiple
from tf_imgcomp.ops.resampling import shrink


@dataclass(frozen=True)
class LappedConfig(CodecConfig):
    """Sizes that all these codecs have; the defaults are size S, for two CPU cores.

    Attributes:
        num_filters: channels of the transforms at 1/8 of the resolution.
        deep_filters: channels at 1/16.
        analysis_modules: modules of the analysis at 1/8.
        synthesis_modules: modules of the synthesis at 1/8.
    """

    num_filters: int = 128
    deep_filters: int = 128
    analysis_modules: int = 3
    synthesis_modules: int = 3


Layer = tf.keras.layers.Layer


class _Transform(Layer):
    """Layers of both transforms at 1/8 and 1/16, modulated by the rate."""

    def __init__(self, config: LappedConfig, fine: Sequence, deep: Layer, **kwargs):
        super().__init__(**kwargs)
        self.fine_modulation = LevelModulation(config.levels)
        self.fine = list(fine)
        self.deep_modulation = LevelModulation(config.levels)
        self.deep = deep

    def at_fine(self, h, level):
        h = self.fine_modulation(h, level)
        for module in self.fine:
            h = module(h)
        return h

    def at_deep(self, h, level):
        return self.deep(self.deep_modulation(h, level))


class LappedAnalysis(_Transform):
    """Image to latents: a lapped transform, corrected by a network.

    x ─┬─► lapped transform ──────────────────────────────► (+) ─► y
       └─► 8x8 blocks ─► 1x1 ─► fine.. ─► 3x3 s2 ─► deep ─► 1x1 ┘

    An optional slice of latents keeps the coefficients of the lapped transform.

    Args:
        config: the sizes.
        fine: layers at 1/8 of the resolution, `num_filters` channels.
        deep: layer at 1/16, `deep_filters` channels.
    """

    def __init__(self, config: LappedConfig, fine: Sequence, deep: Layer, **kwargs):
        super().__init__(config, fine, deep, **kwargs)
        depth, base = config.coder.latent_depth, config.coder.base_depth
        self.lapped = LappedTransform(depth, base)
        self.to_fine = conv(config.num_filters, 1)
        self.down = conv(config.deep_filters, 3, 2)
        self.project = conv(base, 1, kernel_initializer="zeros")

    def call(self, x, level):
        return self.from_features(x, self.features(x, level), level)

    def features(self, x, level):
        """Features at 1/8 of the resolution."""
        return self.at_fine(self.to_fine(tf.nn.space_to_depth(x, 8)), level)

    def from_features(self, x, features, level):
        """The latents of an image and its features."""
        correction = self.project(self.at_deep(self.down(features), level))
        y = self.lapped(x)
        depth, depth_all = correction.shape[-1], y.shape[-1]
        correction *= tf.cast(self.lapped.deviations[:depth], x.dtype)
        y, others = tf.split(y, [depth, depth_all - depth], axis=-1)
        return tf.concat([y + correction, others], axis=-1)


class LappedSynthesis(_Transform):
    """Latents to image: the inverse lapped transform, repaired by a network.

    y ─┬─► inverse lapped ─┬────────────────────────────────► (+) ─► x_hat
       │                   └─► 8x8 blocks ─► 1x1 ┐            │
       └─► log features ─► 1x1 ─► deep ─► up ─► (+) ─► fine.. ─► 1x1

    Args:
        config: the sizes.
        fine: layers at 1/8 of the resolution, `num_filters` channels.
        deep: layer at 1/16, `deep_filters` channels.
        log2_step: log2 of the quantizer's step at the first and at the last level.
    """

    def __init__(
        self,
        config: LappedConfig,
        fine: Sequence,
        deep: Layer,
        log2_step: tuple,
        **kwargs,
    ):
        super().__init__(config, fine, deep, **kwargs)
        self.levels, self.log2_step = config.levels, log2_step
        depth, base = config.coder.latent_depth, config.coder.base_depth
        self.inverse_lapped = InverseLappedTransform(depth, base)
        self.log_features = LogFeatures()
        self.to_deep = conv(config.deep_filters, 1)
        self.up = SubpixelConv2D(config.num_filters, 1)
        self.to_fine = conv(config.num_filters, 1)
        self.project = conv(3 * 64, 1, kernel_initializer="zeros")

    def call(self, y, level):
        x, h = self.before_fine(y, level)
        return x + self.repair(self.at_fine(h, level), level)

    def before_fine(self, y, level):
        """The image that the lapped transform decodes, and the input of `at_fine`."""
        x = self.inverse_lapped(y)
        depth = self.inverse_lapped.learned
        deviations = tf.cast(self.inverse_lapped.deviations[:depth], y.dtype)
        h = self.to_deep(self.log_features(y[..., :depth] / deviations))
        h = self.up(self.at_deep(h, level))
        return x, h + self.to_fine(tf.nn.space_to_depth(x, 8))

    def repair(self, features, level):
        """A correction of the image from features at 1/8."""
        pixels = tf.nn.depth_to_space(self.project(features), 8)
        return self._step(level, pixels.dtype) * pixels

    def _step(self, level, dtype):
        """The initial quantizer step, which is the size of the errors to repair."""
        start, stop = self.log2_step
        log2_step = start + level * ((stop - start) / (self.levels - 1))
        return tf.cast(tf.pow(2.0, log2_step), dtype)[:, None, None, None]


class LappedCodec(Codec):
    """A codec of the transforms above; a subclass makes them."""

    config_class = LappedConfig

    def analysed_error(self, images, x_hat, y, quality):
        """See `Codec`: by the lapped transform alone, which inverts the linear path."""
        x = pad_to_multiple(tf.cast(images, y.dtype), self.stride)
        error = tf.cast((x - x_hat) / 127.5, self.compute_dtype)
        coefficients = tf.cast(self.analysis_transform.lapped(error), y.dtype)
        step = 2.0 ** self.inverse_gain.log2(self.level(quality))[:, None, None]
        return coefficients / step

    def preview(self, y_hat, quality, factor):
        """See `Codec`: by the linear path alone, without the networks."""
        y = self.inverse_gain(y_hat, self.level(quality))
        x_hat = self.synthesis_transform.inverse_lapped(y)
        return shrink((x_hat + 1.0) * 127.5, factor)

    def transform_constants(self):
        return self.synthesis_transform.inverse_lapped.constants()

    def latent_deviations(self):
        return self.analysis_transform.lapped.deviations

    def linear_step_energy(self, level):
        step = 127.5 * 2.0 ** self.inverse_gain.log2(level)[0]
        return step**2 * self.synthesis_transform.inverse_lapped.energies()
