"""The latents of tiles as symbols, pass by pass."""

from functools import partial
from typing import Callable, Optional

import tensorflow as tf

from tf_imgcomp.entropy import passes
from tf_imgcomp.entropy.mixture import parameters_per_element
from tf_imgcomp.entropy_coding.wavefronts import code_in_wavefronts

_UNDIVIDED_MAX = 32  # Channels of a slice whose passes are coded in one part.


class ExactCoding:
    """Codes or decodes the latents of each pass; see `passes.Coding`.

    Args:
        config: `LatentCoderConfig`.
        log2_gain: float32 `(b, c)`, integers with 10 fraction bits.
        coder: a log of symbols or a reader, or what else `code_elements` takes.
        code_elements: function of the coder; the parameters of n latents, a list of
            float32 `(n,)`; and these latents, float32 `(n,)`, or None to decode them.
            Returns the coder and the integers coded, float32 `(n,)`.
        y: float32 `(b, h, w, c)`, the latents to code; None to decode.
        uses_optional: bool `(b,)`, whether the optional slice is coded; None without.
            To code, b is 1.

    Attributes:
        coder: the log or the reader after the passes so far.
    """

    def __init__(
        self,
        config,
        log2_gain: tf.Tensor,
        coder,
        code_elements: Callable,
        y: Optional[tf.Tensor] = None,
        uses_optional: Optional[tf.Tensor] = None,
    ):
        self.coder, self._uses_optional = coder, uses_optional
        self._config, self._code_elements = config, code_elements
        self._gains = tf.split(log2_gain, config.slices, axis=-1)
        self._y_by_pass = None
        if y is not None:
            self._y_by_pass = passes.by_pass(config.context, config.slices, y)

    def code_optional(self, shape: tf.Tensor, run: Callable) -> tf.Tensor:
        """The optional slice, if it is used."""
        before = self.coder

        def coded():
            if self._y_by_pass is None:
                self.coder = before.of_tiles(self._uses_optional)
            y_hat, _ = run()  # Moves the coder on.
            return self.coder, y_hat

        def left_out():
            depth = self._config.slices[-1:]
            return before, tf.zeros(tf.concat([shape, depth], axis=0))

        self.coder, y_hat = tf.cond(tf.reduce_any(self._uses_optional), coded, left_out)
        return y_hat

    def code(self, number: int, pass_index: int, raw: tf.Tensor) -> tf.Tensor:
        """A pass whose parameters are known."""
        depth = self._config.slices[number]
        batch, height, width, _ = tf.unstack(tf.shape(raw))
        # Two halves in parallel: most operations on single latents use one core.
        is_divided = depth > _UNDIVIDED_MAX
        ends = [0, height // 2, height] if is_divided else [0, height]
        decoded = []
        for rows in map(slice, ends, ends[1:]):
            y = None
            if self._y_by_pass:
                y = tf.reshape(self._y_by_pass[number, pass_index][:, rows], [-1])
            parameters = self._parameters(number, raw[:, rows])
            self.coder, y_hat = self._code_elements(self.coder, parameters, y)
            decoded.append(tf.reshape(y_hat, [batch, -1, width, depth]))
        y_hat = tf.concat(decoded, axis=1)
        return tf.ensure_shape(y_hat, [None, None, None, depth])

    def code_in_order(
        self, number: int, networks: passes.OrderedSliceNetworks, known: tf.Tensor
    ) -> tf.Tensor:
        """A slice whose parameters depend on its own latents."""
        code = partial(self._code_positions, number)
        depth = self._config.slices[number]
        self.coder, y_hat = code_in_wavefronts(networks, known, depth, self.coder, code)
        return y_hat

    def _code_positions(self, number, coder, positions, raw) -> tuple:
        """A wavefront; see `code_in_wavefronts`."""
        depth, y = self._config.slices[number], None
        if self._y_by_pass:
            y = tf.reshape(self._y_by_pass[number, 0], [1, -1, depth])
            y = tf.reshape(tf.gather(y, positions, axis=1), [-1])
        parameters = self._parameters(number, raw)
        coder, y_hat = self._code_elements(coder, parameters, y)
        return coder, tf.reshape(y_hat, [tf.shape(raw)[0], -1, depth])

    def _parameters(self, number: int, raw: tf.Tensor) -> list:
        """Network outputs by kind, `(n,)` each, scales following the gain."""
        components, tied = self._config.components, self._config.tied
        count = parameters_per_element(components, tied)
        raw = tf.reshape(raw, [tf.shape(raw)[0], -1, raw.shape[-1]])
        kinds = tf.split(raw, count, axis=-1)
        scales = 1 if tied else components  # They come last.
        gains = self._gains[number][:, None]
        kinds[-scales:] = [kind + gains for kind in kinds[-scales:]]
        return [tf.reshape(kind, [-1]) for kind in kinds]
