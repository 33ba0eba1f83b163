"""The entropy model of all codecs: factorized z, hyperprior, context, mixture."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Optional

import numpy as np
import tensorflow as tf
import tensorflow_compression as tfc

from tf_imgcomp.configured_model import ModelConfig
from tf_imgcomp.entropy import mixture, passes
from tf_imgcomp.entropy.estimation import EstimatedCoding
from tf_imgcomp.layers import (
    BoundedLeakyReLU,
    CheckerboardConv2D,
    LogFeatures,
    QuadConv2D,
    RasterConv2D,
    SubpixelConv2D,
)
from tf_imgcomp.layers.base import Block, conv, register
from tf_imgcomp.ops.rounding import (
    add_uniform_noise,
    gradient_only,
    round_straight_through,
)
from tf_imgcomp.ops.seeds import stream

# Without a context the layer is never called.
_CONTEXT_LAYERS = {
    "none": CheckerboardConv2D,
    "checkerboard": CheckerboardConv2D,
    "quads": QuadConv2D,
    "raster": RasterConv2D,
}


class LatentBits(NamedTuple):
    """Integers and estimated bits of a batch.

    Attributes:
        y_hat: float `(b, h, w, c)`, integers with straight-through gradients.
        y_bits: float `(b,)`.
        z_bits: float `(b,)`.
    """

    y_hat: tf.Tensor
    y_bits: tf.Tensor
    z_bits: tf.Tensor


@dataclass(frozen=True)
class LatentCoderConfig(ModelConfig):
    """Sizes and switches.

    Attributes:
        slices: channels of y in each slice; each is predicted from those before it.
        optional_slice: whether an image may do without the last slice. Its latents are
            then zero, and the file has one flag in their place. z does not depend on
            them. It holds high frequencies: screens need them at every bit rate,
            photos only at the highest.
        hyper_analysis: channels, size and stride of each convolution from y to z.
        hyper_synthesis: channels and growth, 1 or 2, of each 3x3 convolution back.
        features: channels of the channel context and of the spatial context.
        hidden: channels of each layer inside entropy_parameters.
        embedding: channels to which a slice's decoded latents are reduced. None:
            context and hyper_analysis see signed logarithms of the latents.
        components: Gaussians per element, K.
        tied: whether the Gaussians of an element share a mean and double in width (K
            at most 2). The integer coder has tables for these; for others it computes
            probabilities for each element.
        context: one of `passes.CONTEXTS`.
        bits_per_error: bits that a squared error of one quantizer step is worth when
            integers are chosen. A step that suits `lmbda` makes it 6 / ln 2 =
            8.7 (see `codecs.base.quantizer_step`). On photos held out from training,
            10 was best of 6 to 20 without feedback in the encoder, and 14 best of 8.7
            to 14 with it (docs/training.md).
        certain_bits: a latent is not coded, and is decoded as 0, if every Gaussian
            gives all other integers together a probability below 2**-certain_bits. That
            saves time and the few bits of a nearly certain 0. It adds distortion where
            the latent is not 0, at most once in about a hundred elements.
            `benchmarks/coding.py` measures other values.
        optional_dead_zone: latents below it count as zeros where an encoder decides
            about the optional slice. Most of them are coded as zeros.
        optional_bits_of_one: bits of a nonzero latent there: a sign, and that the
            magnitude is 1.
        optional_bits_per_octave: bits of its magnitude there.
    """

    slices: tuple = (16, 64, 240)
    optional_slice: bool = False
    hyper_analysis: tuple = ((96, 1, 1), (96, 3, 2), (32, 3, 2))
    hyper_synthesis: tuple = ((72, 2), (96, 2))
    features: int = 96
    hidden: tuple = (192, 192)
    embedding: Optional[int] = 64
    components: int = 2
    tied: bool = True
    context: str = "checkerboard"
    bits_per_error: float = 10.0
    certain_bits: float = 7.0
    optional_dead_zone: float = 0.6
    optional_bits_of_one: float = 1.7
    optional_bits_per_octave: float = 1.5

    @property
    def hyper_depth(self) -> int:
        """Channels of z."""
        return self.hyper_analysis[-1][0]

    @property
    def latent_depth(self) -> int:
        """Channels of y."""
        return sum(self.slices)

    @property
    def base_depth(self) -> int:
        """Channels of y without those of the optional slice."""
        return sum(self.slices[:-1] if self.optional_slice else self.slices)


@register
class SliceModel(Block):
    """The networks of one slice of channels; see `passes.SliceNetworks`.

        y_hat (slice) ─► log features ─► embedding ─┬─► other slices
                                                    └─► 5x5 taps ─► context
        (psi, other slices, context) ─► entropy_parameters ─► mixture of each element

    All are matrix products with `BoundedLeakyReLU` between, so that
    `entropy_coding.integer_coder` can repeat them exactly in integers.

    Args:
        config: `LatentCoderConfig`, or its fields as a dict.
        initial_deviations: sequence of float. Standard deviations of the slice's
            latents before their gain, where the scales start.
    """

    arguments = ("initial_deviations",)

    def __init__(self, config, initial_deviations, **kwargs):
        super().__init__(**kwargs)
        self.config = config = _config(config)
        self.features = config.features
        self.initial_deviations = list(map(float, initial_deviations))
        depth = len(self.initial_deviations)
        dense = tf.keras.layers.Dense
        self.log_features = LogFeatures(magnitudes=config.embedding is not None)
        self.activation = BoundedLeakyReLU()
        if config.embedding:
            self.embedding = dense(min(config.embedding, 2 * depth))
        self.channel_conv = conv(config.features, 3)
        self.context_conv = _CONTEXT_LAYERS[config.context](config.features)
        self.entropy_parameters = [
            *map(dense, config.hidden),
            dense(
                depth * mixture.parameters_per_element(config.components, config.tied),
                kernel_initializer=tf.keras.initializers.RandomNormal(0.0, 0.01),
                bias_initializer=self._initial_parameters,
            ),
        ]

    def get_config(self) -> dict:
        return {**super().get_config(), "config": vars(self.config)}

    def _initial_parameters(self, shape, dtype=None):
        """Zero logits and offsets; scales around the given deviations."""
        components, tied = self.config.components, self.config.tied
        spread = [-0.6 * components] if tied else np.linspace(-1.5, 0.5, components)
        scales = np.log2(self.initial_deviations) + np.reshape(spread, [-1, 1])
        return tf.constant(np.pad(scales.ravel(), [shape[0] - scales.size, 0]), dtype)

    def embed(self, y_hat: tf.Tensor) -> tf.Tensor:
        features = self.log_features(y_hat)
        if self.config.embedding:
            return self.activation(self.embedding(features))
        return tf.clip_by_value(features, -self.activation.BOUND, self.activation.BOUND)

    def channel_context(self, embedded: tf.Tensor) -> tf.Tensor:
        return self.activation(self.channel_conv(embedded))

    def context_prediction(self, decoded: Sequence[tf.Tensor]) -> tf.Tensor:
        return self.activation(self.context_conv(*decoded))

    def parameters(self, features: tf.Tensor) -> tf.Tensor:
        for layer in self.entropy_parameters[:-1]:
            features = self.activation(layer(features))
        return self.entropy_parameters[-1](features)


@register
class LatentCoder(Block):
    """Predicts the distribution of every latent from those decoded before it.

        y ─► log features ─► hyper_analysis ─► z ─► z_hat ─► hyper_synthesis ─► psi
        psi, decoded latents ─► `SliceModel`s in turn ─► mixture of each element

    Args:
        config: `LatentCoderConfig`, or its fields as a dict.
        initial_deviations: sequence of float `(latent_depth,)`. Standard deviations
            of the latents before their gain, where the scales start.

    References:
        Minnen, Balle and Toderici, "Joint Autoregressive and Hierarchical Priors for
        Learned Image Compression", NeurIPS 2018; He et al., CVPR 2021 (checkerboard)
        and CVPR 2022 (slices); Cheng et al., CVPR 2020 (mixture)
    """

    arguments = ("initial_deviations",)
    STRIDE = 4  # Of z against y.

    def __init__(self, config, initial_deviations, **kwargs):
        super().__init__(**kwargs)
        self.config = c = _config(config)
        if c.context not in passes.CONTEXTS:
            raise ValueError(
                f"Expected a context of {passes.CONTEXTS}, received {c.context!r}."
            )
        if c.tied and c.components > 2:
            raise ValueError(
                f"Expected at most 2 tied components, received {c.components}."
            )
        strides = [stride for _, _, stride in c.hyper_analysis]
        factors = [factor for _, factor in c.hyper_synthesis]
        if not math.prod(strides) == math.prod(factors) == self.STRIDE:
            raise ValueError(
                f"Expected strides and growths with a product of {self.STRIDE}, "
                f"received {strides} and {factors}."
            )
        self.initial_deviations = list(map(float, initial_deviations))
        self.log_features = LogFeatures(magnitudes=c.embedding is not None)
        self.activation = BoundedLeakyReLU()
        layers = [conv(*sizes) for sizes in c.hyper_analysis]
        for place in range(len(layers) - 1, 0, -1):
            layers.insert(place, tf.keras.layers.LeakyReLU(0.01))
        self.hyper_analysis = tf.keras.Sequential(layers, name="hyper_analysis")
        self.hyper_synthesis = [
            SubpixelConv2D(filters, 3, factor) for filters, factor in c.hyper_synthesis
        ]
        ends = np.cumsum(c.slices)
        self.slices = [
            SliceModel(c, self.initial_deviations[end - depth : end])
            for depth, end in zip(c.slices, ends)
        ]
        self.prior = tfc.NoisyDeepFactorized(
            batch_shape=(c.hyper_depth,), init_scale=4.0
        )

    def get_config(self) -> dict:
        return {**super().get_config(), "config": vars(self.config)}

    def run_hyper_analysis(self, y: tf.Tensor, rate: tf.Tensor) -> tf.Tensor:
        """hyper_analysis: y `(b, h, w, c)` to z `(b, h / 4, w / 4, n)`, float32."""
        y = y[..., : self.config.base_depth]
        features = with_rate(self.log_features(y), rate)
        return tf.cast(self.hyper_analysis(features), tf.float32)

    def run_hyper_synthesis(self, z_hat: tf.Tensor, rate: tf.Tensor) -> tf.Tensor:
        """hyper_synthesis: z_hat `(b, h / 4, w / 4, n)` to psi `(b, h, w, f + levels)`.

        The rate is appended for the networks that follow: with coarse steps a zero
        says little about a latent's scale, with fine steps much.
        """
        for layer in self.hyper_synthesis:
            z_hat = self.activation(layer(z_hat))
        return with_rate(z_hat, rate)

    def call(self, y, log2_gain, rate, seed=None) -> LatentBits:
        """Chooses the integers of a batch of latents and estimates their bits.

        Args:
            y: float32 `(b, h, w, c)`, in quantizer steps, `h` and `w` multiples of 4.
            log2_gain: float32 `(b, c)`, of the gain that is applied to y.
            rate: float32 `(b, levels)`. Weights of the trained levels around the rate,
                see `Codec.rate_features`.
            seed: int32 `(2,)`. Bits are computed from rounded latents; gradients come
                from noisy ones. None: gradients are straight-through.

        Returns:
            `LatentBits`.
        """
        z = self.run_hyper_analysis(y, rate)
        z_hat = round_straight_through(z)
        if seed is None:
            z_bits = self.z_bits(z_hat)
        else:
            z_bits = self.z_bits(tf.stop_gradient(z_hat))
            noisy = add_uniform_noise(z, stream(seed, "z"))
            z_bits += gradient_only(self.z_bits(noisy))
        coding = EstimatedCoding(self.config, y, log2_gain, seed)
        y_hat = self.run_passes(z_hat, rate, coding)
        return LatentBits(y_hat, coding.bits(), z_bits)

    def run_passes(self, z_hat, rate, coding: passes.Coding) -> tf.Tensor:
        """Codes all latents given z_hat, see `passes.run_passes`."""
        psi = self.run_hyper_synthesis(z_hat, rate)
        return passes.run_passes(
            self.config.context, self.slices, psi, coding, self.config.optional_slice
        )

    def z_bits(self, z: tf.Tensor) -> tf.Tensor:
        """Estimated bits of z or z_hat, `(b, h, w, n)`; float32 `(b,)`."""
        return tf.reduce_sum(-self.prior.log_prob(z), [1, 2, 3]) / math.log(2)


def with_rate(features: tf.Tensor, rate: tf.Tensor) -> tf.Tensor:
    """Appends `rate`, `(b, levels)`, to the features of every position."""
    shape = tf.concat([tf.shape(features)[:-1], [rate.shape[-1]]], axis=0)
    rate = tf.broadcast_to(tf.cast(rate, features.dtype)[:, None, None, :], shape)
    return tf.concat([features, rate], axis=-1)


def _config(config) -> LatentCoderConfig:
    return LatentCoderConfig.from_dict(config) if isinstance(config, dict) else config
