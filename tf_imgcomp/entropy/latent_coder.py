"""The entropy model of all codecs: factorized z, hyperprior, context, mixture."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import tensorflow as tf
import tensorflow_compression as tfc

from tf_imgcomp.entropy import mixture, passes
from tf_imgcomp.layers import (
    BoundedLeakyReLU,
    CheckerboardConv2D,
    LogFeatures,
    SubpixelConv2D,
)
from tf_imgcomp.layers.base import Block, conv, register
from tf_imgcomp.ops.rounding import (
    add_uniform_noise,
    gradient_only,
    pass_straight_through,
    round_straight_through,
)


class LatentBits(NamedTuple):
    """What a latent coder says of a batch.

    Attributes:
        y_hat: float `(b, h, w, c)`, integers; gradients pass straight through.
        y_bits: float `(b,)`.
        z_bits: float `(b,)`.
    """

    y_hat: tf.Tensor
    y_bits: tf.Tensor
    z_bits: tf.Tensor


@dataclass(frozen=True)
class LatentCoderConfig:
    """Sizes and switches.

    Attributes:
        slices: channels of y in each slice; a slice knows those before it.
        hyper_depth: channels of z.
        features: channels of each of the things known about a position: what
            hyper_synthesis says, what the slices before say, what the anchors say.
        hidden: channels inside entropy_parameters.
        embedding: channels to which a slice's decoded latents are reduced.
        components: Gaussians per element, K.
        tied: whether these share a mean and double in width (K at most 2), which the
            files' coder has tables for; if not, it has to make them for each element.
        context: "none" or "checkerboard".
    """

    slices: tuple = (16, 64, 240)
    hyper_depth: int = 32
    features: int = 96
    hidden: int = 192
    embedding: int = 64
    components: int = 2
    tied: bool = True
    context: str = "checkerboard"

    @classmethod
    def from_dict(cls, fields: dict) -> "LatentCoderConfig":
        """The config with these fields, as JSON gives them, others default."""
        slices = tuple(fields.get("slices", cls.slices))
        return cls(**{**fields, "slices": slices})

    @property
    def latent_depth(self) -> int:
        """Channels of y."""
        return sum(self.slices)


@register
class SliceModel(Block):
    """The networks of one slice of channels; see `passes.SliceNetworks`.

        y_hat (slice) ─► log features ─► embedding ─┬─► other slices
                                                    └─► 5x5 taps ─► context
        (psi, other slices, context) ─► entropy_parameters ─► mixture of each element

    All are matrix products with `BoundedLeakyReLU` between, so that
    `entropy.integer_coder` can repeat them exactly in integers.

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
        self.log_features = LogFeatures()
        self.activation = BoundedLeakyReLU()
        self.embedding = dense(min(config.embedding, 2 * depth))
        self.channel_conv = conv(config.features, 3)
        self.context_conv = CheckerboardConv2D(config.features)
        self.entropy_parameters = [
            dense(config.hidden),
            dense(config.hidden),
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
        return self.activation(self.embedding(self.log_features(y_hat)))

    def channel_context(self, embedded: tf.Tensor) -> tf.Tensor:
        return self.activation(self.channel_conv(embedded))

    def context_prediction(self, embedded: tf.Tensor) -> tf.Tensor:
        return self.activation(self.context_conv(embedded))

    def parameters(self, features: tf.Tensor) -> tf.Tensor:
        for layer in self.entropy_parameters[:-1]:
            features = self.activation(layer(features))
        return self.entropy_parameters[-1](features)


@register
class LatentCoder(Block):
    """How probable every latent is, given what is decoded before it.

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

    def __init__(self, config, initial_deviations=None, **kwargs):
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
        if initial_deviations is None:
            initial_deviations = [1.0] * c.latent_depth
        self.initial_deviations = list(map(float, initial_deviations))
        self.log_features = LogFeatures()
        self.activation = BoundedLeakyReLU()
        self.hyper_analysis = tf.keras.Sequential(
            [
                conv(c.features, 1),
                tf.keras.layers.LeakyReLU(0.01),
                conv(c.features, 3, 2),
                tf.keras.layers.LeakyReLU(0.01),
                conv(c.hyper_depth, 3, 2),
            ],
            name="hyper_analysis",
        )
        self.hyper_synthesis = [
            SubpixelConv2D(c.features * 3 // 4),
            SubpixelConv2D(c.features),
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

    def hyper(self, y: tf.Tensor, rate: tf.Tensor) -> tf.Tensor:
        """hyper_analysis: y `(b, h, w, c)` to z `(b, h / 4, w / 4, n)`, float32."""
        features = with_rate(self.log_features(y), rate)
        return tf.cast(self.hyper_analysis(features), tf.float32)

    def describe(self, z_hat: tf.Tensor, rate: tf.Tensor) -> tf.Tensor:
        """hyper_synthesis: z_hat `(b, h / 4, w / 4, n)` to psi `(b, h, w, f + levels)`.

        The networks that follow are told the rate: a zero says little of a latent's
        scale where steps are coarse and much where they are fine.
        """
        for layer in self.hyper_synthesis:
            z_hat = self.activation(layer(z_hat))
        return with_rate(z_hat, rate)

    def call(self, y, log2_gain, rate, seed=None) -> LatentBits:
        """Decides what to code of a batch of latents and estimates its bits.

        Args:
            y: float32 `(b, h, w, c)`, in quantizer steps, `h` and `w` multiples of 4.
            log2_gain: float32 `(b, c)`. The gain that y has been given.
            rate: float32 `(b, levels)`. Weights of the trained levels around the rate,
                see `Codec.rate_features`.
            seed: int32 `(2,)`, for training: the bits are still those of the integers
                coded, but what they tell y and z comes from noise in place of
                rounding. None: gradients pass straight through.

        Returns:
            `LatentBits`.
        """
        context, sizes = self.config.context, self.config.slices
        z = self.hyper(y, rate)
        z_hat = round_straight_through(z)
        z_bits = [self._z_bits(tf.stop_gradient(z_hat))]
        y_bits = []
        if seed is None:
            z_bits = [self._z_bits(z_hat)]
        else:
            z_bits.append(gradient_only(self._z_bits(add_uniform_noise(z, seed))))
        wanted = passes.by_pass(context, sizes, y)
        gains = tf.split(log2_gain, sizes, -1)

        def code(number, colour, raw):
            y = wanted[number, colour]
            parameters = mixture.split_parameters(
                tf.cast(raw, tf.float32),
                self.config.components,
                self.config.tied,
                gains[number],
            )
            y_hat = pass_straight_through(y, mixture.choose_integers(y, parameters))
            if seed is None:
                bits = mixture.mixture_bits(y_hat, parameters)
            else:
                fixed = mixture.Mixture(*map(tf.stop_gradient, parameters))
                noisy = add_uniform_noise(y, seed + [1 + number, colour])
                bits = mixture.mixture_bits(tf.stop_gradient(y_hat), parameters)
                bits += gradient_only(mixture.mixture_bits(noisy, fixed))
            y_bits.append(tf.reduce_sum(bits, [1, 2, 3]))
            return y_hat

        psi = self.describe(z_hat, rate)
        y_hat = passes.run_passes(context, self.slices, psi, code)
        return LatentBits(y_hat, tf.add_n(y_bits), tf.add_n(z_bits))

    def _z_bits(self, z: tf.Tensor) -> tf.Tensor:
        return tf.reduce_sum(-self.prior.log_prob(z), [1, 2, 3]) / math.log(2)


def with_rate(features: tf.Tensor, rate: tf.Tensor) -> tf.Tensor:
    """Appends `rate`, `(b, levels)`, to the features of every position."""
    shape = tf.concat([tf.shape(features)[:-1], [rate.shape[-1]]], axis=0)
    rate = tf.broadcast_to(tf.cast(rate, features.dtype)[:, None, None, :], shape)
    return tf.concat([features, rate], axis=-1)


def _config(config) -> LatentCoderConfig:
    return LatentCoderConfig.from_dict(config) if isinstance(config, dict) else config
