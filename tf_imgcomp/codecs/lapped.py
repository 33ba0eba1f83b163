"""Codecs whose transforms are a lapped cosine transform plus a network.

The networks start at zero, so such a codec works before its first training step. A
subclass chooses the modules of the networks.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import tensorflow as tf

from tf_imgcomp.codecs.base import Codec, CodecConfig
from tf_imgcomp.entropy.optional_slice import is_worth_coding
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

_DEAD_ZONE = 0.65  # Smaller latents are mostly coded as zeros.


@dataclass(frozen=True)
class LappedConfig(CodecConfig):
    """Sizes that all these codecs have; the defaults are size S, for two CPU cores.

    Attributes:
        num_filters: channels of the transforms at 1/8 of the resolution.
        deep_filters: channels at 1/16.
        analysis_modules: modules of the analysis at 1/8.
        synthesis_modules: modules of the synthesis at 1/8.
        feedback: shares. The encoder decodes its latents once for each, and moves them
            by this share of what the picture lacks.
    """

    num_filters: int = 128
    deep_filters: int = 128
    analysis_modules: int = 2
    synthesis_modules: int = 3
    feedback: tuple = ()


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
        x, features = self.features(y, level)
        return x + self.repair(features, level)

    def features(self, y, level):
        """The image that the lapped transform decodes, and features at 1/8."""
        x = self.inverse_lapped(y)
        depth = self.inverse_lapped.learned
        deviations = tf.cast(self.inverse_lapped.deviations[:depth], y.dtype)
        h = self.to_deep(self.log_features(y[..., :depth] / deviations))
        h = self.up(self.at_deep(h, level))
        h = h + self.to_fine(tf.nn.space_to_depth(x, 8))
        return x, self.at_fine(h, level)

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

    def corrected(self, y, images, quality):
        """See `Codec`: moved towards what the decoder needs (docs/feedback.md)."""
        for share in self.config.feedback:
            y += share * tf.stop_gradient(self._aim(y, images, quality) - y)
        return y

    def _aim(self, y, images, quality):
        """Latents that would decode to the images, were the synthesis linear.

        They are the integers that the decoder will have, and the coefficients of its
        error. Rounding with a dead zone stands for the choice of integers, which would
        take the entropy model.
        """
        y_hat = self._rounded(y)
        x = pad_to_multiple(tf.cast(images, y.dtype), self.stride)
        x_hat = tf.clip_by_value(self.synthesis(y_hat, quality), 0.0, 255.0)
        error = tf.cast((x - x_hat) / 127.5, self.compute_dtype)
        coefficients = self.analysis_transform.lapped(error)
        step = 2.0 ** self.inverse_gain.log2(self.level(quality))[:, None, None]
        return y_hat + tf.cast(coefficients, y.dtype) / step

    def _rounded(self, y):
        y_hat = tf.sign(y) * tf.floor(tf.abs(y) + (1 - _DEAD_ZONE))
        coder = self.config.coder
        if not coder.optional_slice:
            return y_hat
        used = is_worth_coding(y[..., coder.base_depth :], coder.bits_per_error)
        used = tf.cast(used, y.dtype)[:, None, None, None]
        base, optional = tf.split(y_hat, [coder.base_depth, -1], -1)
        return tf.concat([base, used * optional], -1)

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
