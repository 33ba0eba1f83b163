"""The entropy model of all codecs: factorized z, hyperprior, context, mixture."""

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
        latent_depth: channels of y.
        hyper_depth: channels of z.
        features: channels of what hyper_synthesis and context_prediction say.
        hidden: channels inside entropy_parameters.
        embedding: channels to which decoded latents are reduced for the context.
        components: Gaussians per element, K.
        context: "none" or "checkerboard".
    """

    latent_depth: int = 256
    hyper_depth: int = 32
    features: int = 128
    hidden: int = 192
    embedding: int = 64
    components: int = 2
    context: str = "checkerboard"


@register
class LatentCoder(Block):
    """How probable every latent is, given what is decoded before it.

        y ─► log features ─► hyper_analysis ─► z ─► z_hat ─► hyper_synthesis ─► psi
        y_hat (anchors) ─► log features ─► embedding ─► 5x5 taps ─► context
        (psi, context) ─► entropy_parameters ─► mixture of each element

    All networks from z_hat and y_hat to the mixture are matrix products with
    `BoundedLeakyReLU` between, so that `entropy.integer_coder` can repeat them exactly
    in integers.

    Args:
        config: `LatentCoderConfig`, or its fields as a dict.
        initial_deviations: sequence of float `(latent_depth,)`. Standard deviations
            of the latents before their gain, where the scales start.

    References:
        Minnen, Balle and Toderici, "Joint Autoregressive and Hierarchical Priors for
        Learned Image Compression", NeurIPS 2018; He et al., CVPR 2021 (checkerboard);
        Cheng et al., CVPR 2020 (mixture)
    """

    arguments = ("initial_deviations",)
    STRIDE = 4  # Of z against y.

    def __init__(self, config, initial_deviations=None, **kwargs):
        super().__init__(**kwargs)
        if isinstance(config, dict):
            config = LatentCoderConfig(**config)
        if config.context not in passes.CONTEXTS:
            raise ValueError(
                f"Expected a context of {passes.CONTEXTS}, received {config.context!r}."
            )
        if initial_deviations is None:
            initial_deviations = [1.0] * config.latent_depth
        self.config = config
        self.initial_deviations = list(map(float, initial_deviations))
        c = config
        self.log_features = LogFeatures()
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
        self.embedding = tf.keras.layers.Dense(c.embedding)
        self.context_conv = CheckerboardConv2D(c.features)
        self.entropy_parameters = [
            tf.keras.layers.Dense(c.hidden),
            tf.keras.layers.Dense(c.hidden),
            tf.keras.layers.Dense(
                3 * c.components * c.latent_depth,
                kernel_initializer=tf.keras.initializers.RandomNormal(0.0, 0.01),
                bias_initializer=self._initial_parameters,
            ),
        ]
        self.activation = BoundedLeakyReLU()
        self.prior = tfc.NoisyDeepFactorized(
            batch_shape=(c.hyper_depth,), init_scale=4.0
        )

    def get_config(self) -> dict:
        return {**super().get_config(), "config": vars(self.config)}

    def _initial_parameters(self, shape, dtype=None):
        """Zero logits and offsets; scales around the given deviations."""
        spread = np.linspace(-1.5, 0.5, self.config.components)[:, None]
        scales = np.log2(self.initial_deviations)[None] + spread
        zeros = np.zeros((2,) + scales.shape)
        return tf.constant(np.concatenate([zeros, scales[None]]).ravel(), dtype)

    def hyper(self, y: tf.Tensor) -> tf.Tensor:
        """hyper_analysis: y `(b, h, w, c)` to z `(b, h / 4, w / 4, n)`, float32."""
        return tf.cast(self.hyper_analysis(self.log_features(y)), tf.float32)

    def describe(self, z_hat: tf.Tensor) -> tf.Tensor:
        """hyper_synthesis: z_hat `(b, h / 4, w / 4, n)` to psi `(b, h, w, f)`."""
        for layer in self.hyper_synthesis:
            z_hat = self.activation(layer(z_hat))
        return z_hat

    def context_prediction(self, y_hat: tf.Tensor) -> tf.Tensor:
        """Decoded anchors to context features at the other positions."""
        return self.activation(self.context_conv(self.embed(y_hat)))

    def embed(self, y_hat: tf.Tensor) -> tf.Tensor:
        """Reduces each decoded position; the zeros of unknown ones are not seen."""
        return self.activation(self.embedding(self.log_features(y_hat)))

    def parameters(self, psi: tf.Tensor, context) -> tf.Tensor:
        """entropy_parameters: raw mixture parameters at the positions of a pass."""
        context = tf.zeros_like(psi) if context is None else context
        h = tf.concat([psi, context], axis=-1)
        for layer in self.entropy_parameters[:-1]:
            h = self.activation(layer(h))
        return self.entropy_parameters[-1](h)

    def call(self, y, log2_gain, seed=None) -> LatentBits:
        """Estimates the bits of a batch of latents.

        Args:
            y: float32 `(b, h, w, c)`, in quantizer steps, `h` and `w` multiples of 4.
            log2_gain: float32 `(b, c)`. The gain that y has been given.
            seed: int32 `(2,)`: noise stands in for rounding in the bits. None: bits of
                the rounded latents, gradients straight through.

        Returns:
            `LatentBits`.
        """
        z = self.hyper(y)
        y_hat, z_hat = round_straight_through(y), round_straight_through(z)
        if seed is None:
            y_rated, z_rated = y_hat, z_hat
        else:
            y_rated = add_uniform_noise(y, seed)
            z_rated = add_uniform_noise(z, seed + tf.constant([0, 1], seed.dtype))
        z_bits = -self.prior.log_prob(z_rated) / tf.math.log(2.0)
        rated = passes.split_passes(self.config.context, y_rated)
        known = passes.split_passes(self.config.context, y_hat)
        y_bits = []

        def code(index, raw):
            parameters = mixture.split_parameters(
                tf.cast(raw, tf.float32), self.config.components, log2_gain
            )
            bits = mixture.mixture_bits(rated[index], parameters)
            y_bits.append(tf.reduce_sum(bits, [1, 2, 3]))
            return known[index]

        psi = self.describe(z_hat)
        passes.run_passes(
            self.config.context, psi, self.parameters, self.context_prediction, code
        )
        return LatentBits(y_hat, tf.add_n(y_bits), tf.reduce_sum(z_bits, [1, 2, 3]))
