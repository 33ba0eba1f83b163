"""Estimates the bits of a batch of latents: the passes as training runs them."""

from typing import Callable, Optional

import tensorflow as tf

from tf_imgcomp.entropy import mixture, passes
from tf_imgcomp.entropy.optional_slice import is_worth_coding
from tf_imgcomp.ops.rounding import (
    add_uniform_noise,
    gradient_only,
    pass_straight_through,
    round_half_up,
)
from tf_imgcomp.ops.seeds import stream


class EstimatedCoding:
    """Chooses the integers of each pass and counts their bits; see `passes.Coding`.

    Args:
        config: `LatentCoderConfig`.
        y: float32 `(b, h, w, c)`, in quantizer steps.
        log2_gain: float32 `(b, c)`, of the gain that is applied to y.
        seed: as in `LatentCoder.call`.
    """

    def __init__(self, config, y, log2_gain, seed: Optional[tf.Tensor]):
        self._config, self._y, self._seed = config, y, seed
        self._y_by_pass = passes.by_pass(config.context, config.slices, y)
        self._gains = tf.split(log2_gain, config.slices, -1)
        self._bits = []

    def bits(self) -> tf.Tensor:
        """Bits of all passes so far, float32 `(b,)`."""
        return tf.add_n(self._bits)

    def code_optional(self, shape: tf.Tensor, run: Callable) -> tf.Tensor:
        """The optional slice, zero in the images that do without it."""
        used = tf.cast(self._uses_optional(), self._y.dtype)
        first = len(self._bits)
        y_hat, _ = run()
        self._bits[first:] = [bits * used for bits in self._bits[first:]]
        return y_hat * used[:, None, None, None]

    def code(self, number: int, pass_index: int, raw: tf.Tensor) -> tf.Tensor:
        """A pass whose parameters are known."""
        parameters = self._mixture(number, raw)
        y = self._y_by_pass[number, pass_index]
        y_hat = self._choose_integers(number, pass_index, y, parameters)
        self._count(number, pass_index, y_hat, parameters)
        return y_hat

    def code_in_order(
        self, number: int, networks: passes.SliceNetworks, known: tf.Tensor
    ) -> tf.Tensor:
        """A slice whose parameters depend on its own latents, all positions at once.

        A coder chooses integers one after another, given the neighbours chosen before.
        Here all are chosen at once, given rounded neighbours. Their bits are then
        estimated given the chosen neighbours.
        """
        y = self._y_by_pass[number, 0]

        def parameters(y_hat):
            embedded = networks.embed(y_hat)
            raw = passes.parameters_around(networks, known, embedded)
            return self._mixture(number, raw)

        expected = parameters(round_half_up(y))
        y_hat = self._choose_integers(number, 0, y, expected)
        self._count(number, 0, y_hat, parameters(y_hat))
        return y_hat

    def _uses_optional(self) -> tf.Tensor:
        """Which images have the optional slice, bool `(b,)`."""
        y = tf.split(self._y, self._config.slices, -1)[-1]
        return is_worth_coding(y, self._config, self._config.bits_per_error)

    def _choose_integers(self, number, pass_index, y, parameters) -> tf.Tensor:
        del number, pass_index  # Errors count alike in all latents.
        chosen = mixture.choose_integers(y, parameters, self._config.bits_per_error)
        return pass_straight_through(y, chosen)

    def _mixture(self, number: int, raw: tf.Tensor) -> mixture.Mixture:
        return mixture.split_parameters(
            tf.cast(raw, tf.float32),
            self._config.components,
            self._config.tied,
            self._gains[number],
        )

    def _count(self, number, pass_index, y_hat, parameters) -> None:
        if self._seed is None:
            bits = mixture.mixture_bits(y_hat, parameters)
        else:
            fixed = mixture.Mixture(*map(tf.stop_gradient, parameters))
            seed = stream(self._seed, "y", number, pass_index)
            noisy = add_uniform_noise(self._y_by_pass[number, pass_index], seed)
            bits = mixture.mixture_bits(tf.stop_gradient(y_hat), parameters)
            bits += gradient_only(mixture.mixture_bits(noisy, fixed))
        self._bits.append(tf.reduce_sum(bits, [1, 2, 3]))
