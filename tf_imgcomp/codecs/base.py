"""The base of all codecs: analysis, gain, latent coder, inverse gain, synthesis."""

from dataclasses import dataclass
from typing import NamedTuple, Optional

import numpy as np
import tensorflow as tf

from tf_imgcomp.codecs import feedback
from tf_imgcomp.codecs.refinement_config import RefinementConfig
from tf_imgcomp.configured_model import ConfiguredModel, ModelConfig
from tf_imgcomp.entropy.latent_coder import LatentCoder, LatentCoderConfig
from tf_imgcomp.layers import GainUnit
from tf_imgcomp.layers.gain import interpolate_levels
from tf_imgcomp.layers.precision import computing_in, unmixed
from tf_imgcomp.losses.rate_distortion import rate_distortion
from tf_imgcomp.ops import bases
from tf_imgcomp.ops.graphs import without_autograph
from tf_imgcomp.ops.padding import pad_to_multiple
from tf_imgcomp.ops.resampling import shrink
from tf_imgcomp.ops.rounding import add_uniform_noise, scale_nonzero_gradient
from tf_imgcomp.ops.seeds import stream
from tf_imgcomp.ops.surroundings import cropped
from tf_imgcomp.size_limits import ENCODER_BASE

QUALITY_MIN, QUALITY_MAX = 1.0, 100.0


class CodecOutput(NamedTuple):
    """The output of a codec for a batch of images.

    Attributes:
        x_hat: float32 `(b, h, w, 3)`, 0 to 255, neither rounded nor clipped.
        y_bits: float32 `(b,)`, estimated bits of y per image.
        z_bits: float32 `(b,)`, estimated bits of z per image.
        y: float32 `(b, H / 16, W / 16, c)`, latents in quantizer steps.
        y_hat: like y, the integers that are coded.
    """

    x_hat: tf.Tensor
    y_bits: tf.Tensor
    z_bits: tf.Tensor
    y: tf.Tensor
    y_hat: tf.Tensor


def quantizer_step(lmbda: float) -> float:
    """The optimal step of a uniform quantizer for a distortion weight, in grey levels.

    At high rate a step `s` costs a distortion of `s**2 / 12` and `-log2(s)` bits per
    coefficient; `lmbda * D + bits` is least where `s**2 = 6 * 3 / (lmbda * ln 2)`, D
    being the mean over 3 colours. (18 / ln 2 = 26.)
    """
    return (18 / (lmbda * 0.6931471805599453)) ** 0.5


@dataclass(frozen=True)
class CodecConfig(ModelConfig):
    """Fields of every codec's config.

    Attributes:
        lmbda_min: float. Distortion weight of quality 1: the loss is bpp + lmbda * D.
        lmbda_max: float. Distortion weight of quality 100.
        levels: int. Qualities with gains of their own; log-linear between.
        gradient_scale: float. Gradient scale of the distortion at nonzero latents;
            gradients at zeros are blocked. With a scale of 1.0, latents shrink in
            training until files of a quality have half as many bits; see "Zeros" in
            docs/training.md.
        feedback: tuple of float, 0 to 1. Step sizes of the rounds in which the encoder
            corrects its latents (docs/feedback.md).
        feedback_dead_zone: float. Feedback rounds magnitudes up from this fraction on,
            so that it has about as many zeros as the coder chooses.
        refinement: settings of the slow mode (docs/effort.md).
        coder: the latent coder's sizes; `coder.latent_depth` is the channels of y.
    """

    lmbda_min: float = 0.0003
    lmbda_max: float = 0.18
    levels: int = 6
    gradient_scale: float = 3.0
    feedback: tuple = ()
    feedback_dead_zone: float = 0.65
    refinement: RefinementConfig = RefinementConfig()
    coder: LatentCoderConfig = LatentCoderConfig()

    @classmethod
    def from_dict(cls, fields: dict) -> "CodecConfig":
        """The config with these fields, others default.

        `coder` and `refinement` are dicts of their own.
        """
        coder = {**vars(cls.coder), **fields.get("coder", {})}
        parts = {
            "coder": LatentCoderConfig.from_dict(coder),
            "refinement": RefinementConfig(**fields.get("refinement", {})),
        }
        return super().from_dict({**fields, **parts})


class Codec(ConfiguredModel):
    """A learned image codec of variable rate.

    x ─► analysis ─► y ─► gain ─► round ─► y_hat ─► inverse gain ─► synthesis ─► x_hat
                            │                ▲
                            └─► latent coder ┘ (bits)

    A subclass names its `config_class`, a `CodecConfig`, and makes its two transforms
    (layers, called with a tensor and a level) in `make_analysis(config)` and
    `make_synthesis(config, log2_step)`. In mixed precision the two transforms compute
    in 16 bits; latents, gains and bits stay float32.

    Keras trains a codec, too:

        codec.compile("adam")
        codec.fit(images)             # A quality is drawn for each image.
        codec.fit((images, quality))  # Or given, in the first argument.

    `training` and `runs` have more: a schedule, an average, checkpoints.

    Args:
        config: a `config_class`, its fields as a dict, or None for the defaults.
    """

    config_class = CodecConfig
    stride = 64  # Image sizes are padded to a multiple of this.
    border = 4  # Latents around a tile that the synthesis sees (docs/exactness.md).
    # Peak memory, by benchmarks/memory.py: of a tile with its surroundings, and of the
    # encoder's first tile, whatever its size.
    bytes_per_pixel = 160.0
    encoder_base = ENCODER_BASE

    def __init__(self, config=None, **kwargs):
        super().__init__(config, **kwargs)
        config, depth = self.config, self.config.coder.latent_depth
        log2_start, log2_stop = (
            float(tf.math.log(127.5 / quantizer_step(lmbda)) / tf.math.log(2.0))
            for lmbda in (config.lmbda_min, config.lmbda_max)
        )
        with computing_in(self.precision):
            with unmixed():
                self.gain = GainUnit(
                    log2_start, log2_stop, config.levels, depth, name="gain"
                )
                self.inverse_gain = GainUnit(
                    -log2_start, -log2_stop, config.levels, depth, name="inverse_gain"
                )
            self.analysis_transform = self.make_analysis(config)
            log2_step = self.inverse_gain.log2_start, self.inverse_gain.log2_stop
            self.synthesis_transform = self.make_synthesis(config, log2_step)
            with unmixed():  # Bits take more than 16 bits.
                self.latent_coder = LatentCoder(
                    config.coder, self.latent_deviations(), name="latent_coder"
                )

    def make_analysis(self, config) -> tf.keras.layers.Layer:
        """Makes the layer from images, -1 to 1, to latents."""
        raise NotImplementedError

    def make_synthesis(self, config, log2_step: tuple) -> tf.keras.layers.Layer:
        """Makes the layer from latents to images, -1 to 1.

        Args:
            config: the sizes.
            log2_step: log2 of the quantizer's step at the first and at the last level.
        """
        raise NotImplementedError

    def transform_constants(self) -> dict:
        """Constants of the transforms beside config and weights, as JSON takes them."""
        return {}

    def latent_deviations(self) -> np.ndarray:
        """Standard deviations of the latents on photos before training, `(c,)`."""
        _, deviations = bases.ranked_coefficients(16, self.config.coder.latent_depth)
        return deviations

    def level(self, quality: tf.Tensor) -> tf.Tensor:
        """Maps a quality in [1, 100] to a level in [0, levels - 1]."""
        span = QUALITY_MAX - QUALITY_MIN
        return (quality - QUALITY_MIN) * ((self.config.levels - 1) / span)

    def rate_features(self, quality: tf.Tensor) -> tf.Tensor:
        """Qualities `(b,)` as `(b, levels)`: weights of the two levels around each."""
        return interpolate_levels(tf.eye(self.config.levels), self.level(quality))

    def lmbda(self, quality: tf.Tensor) -> tf.Tensor:
        """Maps a quality in [1, 100] to its `lmbda` in training, log-linear."""
        position = (quality - QUALITY_MIN) / (QUALITY_MAX - QUALITY_MIN)
        lowest, highest = self.config.lmbda_min, self.config.lmbda_max
        return lowest * tf.pow(highest / lowest, position)

    @property
    def lmbda_middle(self) -> float:
        """The distortion weight halfway, in the log domain."""
        return (self.config.lmbda_min * self.config.lmbda_max) ** 0.5

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
        return self._in_steps(y, level)

    def analysis_and_importance(self, images: tf.Tensor, quality: tf.Tensor) -> tuple:
        """The latents that an encoder codes, and the codec's importance map.

        Returns:
            The latents of `feedback.corrected`, and float32 `(b, H / 16, W / 16)`, 0 to
            1: half the mean weight over channels, so that 1/2 means unchanged latents.
            None instead of it, if the codec has no such map.
        """
        y = self.analysis(images, quality)
        return feedback.corrected(self, y, images, quality), None

    def analysed_error(self, images, x_hat, y, quality) -> tf.Tensor:
        """The error of a decoded picture, in latents.

        Args:
            images: the originals.
            x_hat: float `(b, H, W, 3)`, decoded, 0 to 255.
            y: the output of `analysis` for the originals.
            quality: float32 `(b,)`.

        Returns:
            Like y, in quantizer steps.
        """
        del images
        return y - self.analysis(x_hat, quality)

    def _in_steps(self, y: tf.Tensor, level: tf.Tensor) -> tf.Tensor:
        """The analysis transform's output in quantizer steps."""
        return self.gain(tf.cast(y, self.variable_dtype), level)

    def padded(self, images: tf.Tensor) -> tf.Tensor:
        """Input of the analysis transform: -1 to 1, padded to multiples of `stride`."""
        x = tf.cast(images, self.compute_dtype) / 127.5 - 1.0
        return pad_to_multiple(x, self.stride)

    def synthesis(
        self, y_hat: tf.Tensor, quality: tf.Tensor, crop: Optional[tf.Tensor] = None
    ) -> tf.Tensor:
        """Rounded latents to images.

        Args:
            y_hat: float32 `(b, h, w, c)`, integers.
            quality: float32 `(b,)`, 1 to 100.
            crop: int32 `(4,)`. Latents at the top, bottom, left and right that are
                surroundings; the images do not include them. None: there are none.

        Returns:
            Float `(b, H, W, 3)` of the weights' type, 0 to 255, not clipped; 16 pixels
            for each latent.
        """
        level = self.level(quality)
        y = tf.cast(self.inverse_gain(y_hat, level), self.compute_dtype)
        if crop is None:
            x_hat = self.synthesis_transform(y, level)
        else:
            x_hat = self.synthesized_tile(y, level, crop)
        return (tf.cast(x_hat, self.variable_dtype) + 1.0) * 127.5

    def synthesized_tile(self, y: tf.Tensor, level: tf.Tensor, crop: tf.Tensor):
        """The output of the synthesis transform without a tile's surroundings.

        A subclass may leave out what only surroundings need (`ops.surroundings`).

        Args:
            y: float `(b, h, w, c)`, the tile and its surroundings.
            level: float32 `(b,)`.
            crop: int32 `(4,)`, latents, see `synthesis`.
        """
        return cropped(self.synthesis_transform(y, level), 16 * crop)

    def preview(self, y_hat: tf.Tensor, quality: tf.Tensor, factor) -> tf.Tensor:
        """A small image from the first slice of rounded latents alone.

        Args:
            y_hat: float32 `(b, h, w, c)`, the first slice.
            quality: float32 `(b,)`, 1 to 100.
            factor: int or int32 scalar, 1, 2, 4, 8 or 16: how many times smaller.

        Returns:
            float32 `(b, 16 h / factor, 16 w / factor, 3)`, 0 to 255, not clipped.
        """
        left_out = self.config.coder.latent_depth - y_hat.shape[-1]
        y_hat = tf.pad(y_hat, [[0, 0], [0, 0], [0, 0], [0, left_out]])
        return shrink(self.synthesis(y_hat, quality), factor)

    def linear_step_energy(self, level: tf.Tensor) -> Optional[tf.Tensor]:
        """The squared error that a quantizer step in each channel causes in an image.

        Args:
            level: float32 `(1,)`.

        Returns:
            float32 `(c,)`, sums over pixels, grey levels squared, by the synthesis's
            linear path; None if it has no such path.
        """
        del level
        return None

    def call(
        self, images, quality=None, seed=None, noisy=False, corrected=False
    ) -> CodecOutput:
        """Codes and decodes a batch, with estimated bits.

        Args:
            images: uint8 or float `(b, h, w, 3)`, 0 to 255.
            quality: float32 `(b,)`, 1 to 100; None to draw one for each image.
            seed: int32 `(2,)`. Seed of the additive noise; None for straight-through
                gradients.
            noisy: bool. Whether the synthesis gets noisy latents, if there is a seed,
                instead of rounded ones.
            corrected: bool. Whether latents are those of `feedback.corrected`, as
                encoders have them, instead of those of `analysis`.
        """
        if quality is None:
            quality = _draw_qualities_anew(images)
        height, width = tf.shape(images)[1], tf.shape(images)[2]
        y = self.analysis(images, quality)
        if corrected:
            y = feedback.corrected(self, y, images, quality)
        log2_gain = self.gain.log2(self.level(quality))
        rate_seed = None if seed is None else stream(seed, "rate")
        coded = self.latent_coder(y, log2_gain, self.rate_features(quality), rate_seed)
        # A small step of training does not change a latent that is rounded to zero. The
        # straight-through gradient would still move such latents until they round to a
        # nonzero value.
        y_hat = scale_nonzero_gradient(coded.y_hat, self.config.gradient_scale)
        if noisy and seed is not None:
            y_hat = add_uniform_noise(y, stream(seed, "synthesis"))
        x_hat = self.synthesis(y_hat, quality)[:, :height, :width]
        return CodecOutput(x_hat, coded.y_bits, coded.z_bits, y, coded.y_hat)

    @without_autograph
    def train_step(self, data) -> dict:
        """A step of `fit`: the rate-distortion Lagrangian of a batch, with noise.

        Args:
            data: what Keras makes of the arguments of `fit`. Its x is images as in
                `call`, or a pair of images and qualities: `fit((images, quality))`, or
                a dataset of `((images, quality),)`. Without them qualities are drawn.
                A second argument of `fit` is taken for targets and ignored.

        Returns:
            The scalars of `RateDistortion` by name.
        """
        images, quality = self._inputs(data)
        seed = tf.random.uniform([2], maxval=tf.int32.max, dtype=tf.int32)
        with tf.GradientTape() as tape:
            costs = self._costs(images, quality, seed)
        self.optimizer.minimize(costs["loss"], self.trainable_variables, tape=tape)
        return costs

    @without_autograph
    def test_step(self, data) -> dict:
        """A step of `evaluate`: the same without noise and without an update."""
        return self._costs(*self._inputs(data), seed=None)

    def _inputs(self, data) -> tuple:
        images, *_ = tf.keras.utils.unpack_x_y_sample_weight(data)
        if isinstance(images, (tuple, list)):
            return tuple(images)
        return images, _draw_qualities_anew(images)

    def _costs(self, images, quality, seed) -> dict:
        output = self(images, quality, seed)
        lmbda = self.lmbda(quality)
        return rate_distortion(images, output, lmbda, self.lmbda_middle)._asdict()


def draw_qualities(count: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """A random quality for each image of a batch, float32 `(count,)`.

    One from each of `count` equal parts of the range, in their order: every batch has
    low and high rates.

    Args:
        count: int32 scalar.
        seed: int32 `(2,)`.
    """
    part = tf.random.stateless_uniform([count], seed)
    position = (tf.range(count, dtype=tf.float32) + part) / tf.cast(count, tf.float32)
    return QUALITY_MIN + (QUALITY_MAX - QUALITY_MIN) * position


def _draw_qualities_anew(images: tf.Tensor) -> tf.Tensor:
    """Random qualities, new ones in each call."""
    seed = tf.random.uniform([2], maxval=tf.int32.max, dtype=tf.int32)
    return draw_qualities(tf.shape(images)[0], seed)
