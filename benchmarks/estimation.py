"""What the benchmarks share: the float model's estimate, and passes over integers."""

from typing import Callable

import numpy as np
import tensorflow as tf

from tf_imgcomp.codecs.base import Codec
from tf_imgcomp.entropy import mixture, passes
from tf_imgcomp.entropy_coding.integer_coder import IntegerCoder

WHOLE = np.zeros(4, np.int32)  # A crop of a tile without surroundings.


def estimated_bits(codec: Codec, y_hat, z_hat, quality) -> tf.Tensor:
    """Estimated bits of the integers of one image, float32 scalar.

    Args:
        codec: a codec with trained weights.
        y_hat: float32 `(1, h, w, c)`.
        z_hat: float32 `(1, h / 4, w / 4, n)`.
        quality: float32 scalar.
    """
    coder, quality = codec.latent_coder, quality[None]
    config = coder.config
    gains = tf.split(codec.gain.log2(codec.level(quality)), config.slices, -1)
    known = KnownLatents(config, y_hat)
    psi = coder.run_hyper_synthesis(z_hat, codec.rate_features(quality))
    passes.run_passes(config.context, coder.slices, psi, known)
    are_used = [1.0] * len(config.slices)
    if config.optional_slice:
        are_used[-1] = tf.cast(has_optional_slice(config, y_hat), tf.float32)
    bits = [coder.z_bits(z_hat)[0]]
    for (number, pass_index), raw in known.parameters.items():
        parameters = mixture.split_parameters(
            raw, config.components, config.tied, gains[number]
        )
        y = known.latents[number, pass_index]
        pass_bits = tf.reduce_sum(mixture.mixture_bits(y, parameters))
        bits.append(are_used[number] * pass_bits)
    return tf.add_n(bits)


def has_optional_slice(config, y_hat: tf.Tensor) -> tf.Tensor:
    """Whether latents `(1, h, w, c)` have something in their optional slice, bool."""
    return tf.reduce_any(y_hat[..., config.base_depth :] != 0)


def code_parts(
    coder: IntegerCoder, y_hat, z_hat, hundredths, state, code_elements: Callable
):
    """Runs all passes over known integers; returns the state after them.

    Args:
        coder: of the codec.
        y_hat: float32 `(1, h, w, c)`.
        z_hat: float32 `(1, h / 4, w / 4, n)`.
        hundredths: quality, int64 scalar.
        state, code_elements: `coder` and `code_elements` of `ExactCoding`.
    """
    quality = hundredths[None]
    psi = coder.run_hyper_synthesis(z_hat, coder.rate(quality))
    coding = coder.coding(quality, state, code_elements, y_hat)
    y_first = coder.code_first(psi, coding)
    uses_optional = has_optional_slice(coder.config, y_hat)[None]
    coding = coder.coding(quality, coding.coder, code_elements, y_hat, uses_optional)
    coder.code_rest(psi, y_first, coding)
    return coding.coder


def byte_count(encoded) -> int:
    """Bytes of all strings of `EncodedLatents`."""
    return sum(map(len, (*encoded.first.numpy(), *encoded.rest.numpy())))


class KnownLatents:
    """Records the parameters of each pass; see `passes.Coding`.

    Args:
        config: `LatentCoderConfig`.
        y_hat: float32 `(1, h, w, c)`, all latents.

    Attributes:
        latents: dict of slice and pass to the latents of a pass.
        parameters: dict of slice and pass to the outputs of the networks.
    """

    def __init__(self, config, y_hat: tf.Tensor):
        self.latents = passes.by_pass(config.context, config.slices, y_hat)
        self.parameters = {}
        self._has_optional_slice = has_optional_slice(config, y_hat)
        self._optional_depth = config.latent_depth - config.base_depth

    def code_optional(self, shape, run):
        if self._has_optional_slice:
            return run()[0]
        return tf.zeros(tf.concat([shape, [self._optional_depth]], axis=0))

    def code(self, number, pass_index, raw):
        self.parameters[number, pass_index] = raw
        return self.latents[number, pass_index]

    def code_in_order(self, number, networks, known):
        embedded = networks.embed(self.latents[number, 0])
        raw = passes.parameters_around(networks, known, embedded)
        return self.code(number, 0, raw)
