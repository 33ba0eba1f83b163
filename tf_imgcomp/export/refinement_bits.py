"""Estimated bits of the latents that the encoder refines."""

import tensorflow as tf

from tf_imgcomp.entropy import mixture, passes
from tf_imgcomp.entropy.estimation import EstimatedCoding
from tf_imgcomp.entropy_coding.symbol_coding import Rows
from tf_imgcomp.entropy_coding.tables import ONE
from tf_imgcomp.ops.rounding import pass_straight_through


class RefinementBits(EstimatedCoding):
    """Chooses integers with a weight for each latent; see `passes.Coding`.

    The gradient of an integer's own bits is blocked, because `choose_integers` accounts
    for them. Gradients through the contexts of other integers remain.

    Args:
        config: `LatentCoderConfig`.
        y: float32 `(1, h, w, c)`, in quantizer steps.
        log2_gain: float32 `(1, c)`, of the gain that is applied to y.
        bits_per_error: as y. Bits that a squared error of one step is worth.
        uses_optional: bool scalar, whether the optional slice is coded.
        rows: of the integer coder's table; they decide which latents are not coded.
    """

    def __init__(self, config, y, log2_gain, bits_per_error, uses_optional, rows: Rows):
        super().__init__(config, y, log2_gain, seed=None)
        self._bits_per_error = passes.by_pass(
            config.context, config.slices, bits_per_error
        )
        self._optional, self._rows = uses_optional, rows

    def _uses_optional(self) -> tf.Tensor:
        return self._optional[None]

    def _choose_integers(self, number, pass_index, y, parameters) -> tf.Tensor:
        weights = self._bits_per_error[number, pass_index]
        chosen = mixture.choose_integers(y, parameters, weights)
        chosen = tf.where(self._are_skipped(parameters), tf.zeros_like(y), chosen)
        return pass_straight_through(y, chosen)

    def _count(self, number, pass_index, y_hat, parameters) -> None:
        del number, pass_index
        bits = mixture.mixture_bits(tf.stop_gradient(y_hat), parameters)
        bits = tf.where(self._are_skipped(parameters), tf.zeros_like(bits), bits)
        self._bits.append(tf.reduce_sum(bits, [1, 2, 3]))

    def _are_skipped(self, parameters: mixture.Mixture) -> tf.Tensor:
        """Latents that the integer coder does not code, bool `(1, h, w, c)`."""
        logits, offsets, log2_scales = parameters
        if self._config.tied:  # Coders have the first Gaussian alone.
            logits = logits[..., 1:, :]
            offsets, log2_scales = offsets[..., :1, :], log2_scales[..., :1, :]
        kinds = tf.concat([logits, offsets, log2_scales], axis=-2)
        kinds = tf.unstack(tf.stop_gradient(tf.round(kinds * ONE)), axis=-2)
        are_skipped = self._rows.are_skipped([tf.reshape(kind, [-1]) for kind in kinds])
        return tf.reshape(are_skipped, tf.shape(kinds[0]))
