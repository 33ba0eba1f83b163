"""What every codec is: analysis, gain, latent coder, inverse gain, synthesis."""

from typing import NamedTuple

import tensorflow as tf

from tf_imgcomp.layers import GainUnit
from tf_imgcomp.layers.base import unmixed
from tf_imgcomp.layers.gain import interpolate_levels
from tf_imgcomp.ops.padding import pad_to_multiple
from tf_imgcomp.ops.rounding import add_uniform_noise, scale_nonzero_gradient
from tf_imgcomp.ops.seeds import stream

QUALITY_MIN, QUALITY_MAX = 1.0, 100.0


class CodecOutput(NamedTuple):
    """What a codec makes of a batch of images.

    Attributes:
        x_hat: float32 `(b, h, w, 3)`, 0 to 255, neither rounded nor clipped.
        y_bits: float32 `(b,)`, estimated bits of y per image.
        z_bits: float32 `(b,)`, estimated bits of z per image.
        y: float32 `(b, H / 16, W / 16, c)`, latents in quantizer steps.
        y_hat: like y, the integers that are coded for it.
    """

    x_hat: tf.Tensor
    y_bits: tf.Tensor
    z_bits: tf.Tensor
    y: tf.Tensor
    y_hat: tf.Tensor


def quantizer_step(lmbda: float) -> float:
    """The uniform quantizer's step that suits a rate weight, in grey levels.

    At high rate a step `s` costs a distortion of `s**2 / 12` and `-log2(s)` bits per
    coefficient; `lmbda * D + bits` is least where `s**2 = 6 * 3 / (lmbda * ln 2)`, D
    being the mean over 3 colours. (18 / ln 2 = 26.)
    """
    return (18 / (lmbda * 0.6931471805599453)) ** 0.5


class Codec(tf.keras.Model):
    """A learned image codec of variable rate.

    x ─► analysis ─► y ─► gain ─► round ─► y_hat ─► inverse gain ─► synthesis ─► x_hat
                            │                ▲
                            └─► latent coder ┘ (bits)

    A subclass makes `analysis_transform`, `synthesis_transform` (functions of a tensor
    and a level) and `latent_coder`. In mixed precision the two transforms compute in
    16 bits; latents, gains and bits stay float32. Made where Keras computes in float64,
    it analyses in float64.

    Args:
        lmbda_min: float. Rate weight of quality 1: the loss is bpp + lmbda * D.
        lmbda_max: float. Rate weight of quality 100.
        levels: int. Qualities with gains of their own; log-linear between.
        latent_depth: int. Channels of y.
        gradient_scale: float. Gradient scale of the distortion at nonzero latents;
            gradients at zeros are blocked. With 1.0 latents shrink in training until a
            quality has half the bits; see "Zeros" in docs/training.md.
    """

    stride = 64  # Image sizes are padded to a multiple of this.

    def __init__(
        self,
        lmbda_min: float,
        lmbda_max: float,
        levels: int,
        latent_depth: int,
        gradient_scale: float,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.lmbda_min, self.lmbda_max, self.levels = lmbda_min, lmbda_max, levels
        self.gradient_scale = gradient_scale
        start, stop = (
            float(tf.math.log(127.5 / quantizer_step(lmbda)) / tf.math.log(2.0))
            for lmbda in (lmbda_min, lmbda_max)
        )
        with unmixed():
            self.gain = GainUnit(start, stop, levels, latent_depth, name="gain")
            self.inverse_gain = GainUnit(
                -start, -stop, levels, latent_depth, name="inverse_gain"
            )

    def level(self, quality: tf.Tensor) -> tf.Tensor:
        """Quality in [1, 100] to a level in [0, levels - 1]."""
        span = QUALITY_MAX - QUALITY_MIN
        return (quality - QUALITY_MIN) * ((self.levels - 1) / span)

    def rate_features(self, quality: tf.Tensor) -> tf.Tensor:
        """Qualities `(b,)` as `(b, levels)`: weights of the two levels around each."""
        return interpolate_levels(tf.eye(self.levels), self.level(quality))

    def lmbda(self, quality: tf.Tensor) -> tf.Tensor:
        """Quality in [1, 100] to the rate weight it is trained for, log-linear."""
        position = (quality - QUALITY_MIN) / (QUALITY_MAX - QUALITY_MIN)
        return self.lmbda_min * tf.pow(self.lmbda_max / self.lmbda_min, position)

    @property
    def lmbda_middle(self) -> float:
        """The rate weight halfway, in the log domain."""
        return (self.lmbda_min * self.lmbda_max) ** 0.5

    def analysis(self, images: tf.Tensor, quality: tf.Tensor) -> tf.Tensor:
        """Images to latents in quantizer steps.

        Args:
            images: uint8 or float `(b, h, w, 3)`, 0 to 255, any size.
            quality: float32 `(b,)`, 1 to 100.

        Returns:
            Float `(b, H / 16, W / 16, c)`, of the weights' type; H and W are h and w
            padded to multiples of `stride`.
        """
        level = self.level(quality)
        y = self.analysis_transform(self.padded(images), level)
        return self.gain(tf.cast(y, self.variable_dtype), level)

    def analysis_and_importance(self, images: tf.Tensor, quality: tf.Tensor) -> tuple:
        """Latents as `analysis` gives them, and how much a learned map keeps of them.

        Returns:
            The latents, and float32 `(b, H / 16, W / 16)`, 0 to 1: the mean over
            channels of half the weights, so that 1/2 is a latent that stays as it is.
            None instead, if the codec has no such map.
        """
        return self.analysis(images, quality), None

    def padded(self, images: tf.Tensor) -> tf.Tensor:
        """Images as transforms see them: -1 to 1, sides multiples of `stride`."""
        x = tf.cast(images, self.compute_dtype) / 127.5 - 1.0
        return pad_to_multiple(x, self.stride)

    def synthesis(self, y_hat: tf.Tensor, quality: tf.Tensor) -> tf.Tensor:
        """Rounded latents to images, float32 `(b, H, W, 3)`, 0 to 255, not clipped."""
        level = self.level(quality)
        y = tf.cast(self.inverse_gain(y_hat, level), self.compute_dtype)
        x_hat = self.synthesis_transform(y, level)
        return (tf.cast(x_hat, tf.float32) + 1.0) * 127.5

    def call(self, images, quality, seed=None, noisy=False) -> CodecOutput:
        """Codes and decodes a batch, bits estimated.

        Args:
            images: uint8 or float `(b, h, w, 3)`, 0 to 255.
            quality: float32 `(b,)`, 1 to 100.
            seed: int32 `(2,)` of noise in place of rounding; None for rounding, with
                gradients straight through.
            noisy: bool. Whether synthesis gets y with noise too, if there is a seed;
                else it gets the integers that are coded.
        """
        height, width = tf.shape(images)[1], tf.shape(images)[2]
        y = self.analysis(images, quality)
        log2_gain = self.gain.log2(self.level(quality))
        rate_seed = None if seed is None else stream(seed, "rate")
        coded = self.latent_coder(y, log2_gain, self.rate_features(quality), rate_seed)
        # A small step of training does not change a latent that is rounded to zero.
        # With straight-through gradients the distortion would push it all the same,
        # until it is coded.
        y_hat = scale_nonzero_gradient(coded.y_hat, self.gradient_scale)
        if noisy and seed is not None:
            y_hat = add_uniform_noise(y, stream(seed, "synthesis"))
        x_hat = self.synthesis(y_hat, quality)[:, :height, :width]
        return CodecOutput(x_hat, coded.y_bits, coded.z_bits, y, coded.y_hat)
