"""The latent coder after training: the same in integers, from latents to bytes."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf
import tensorflow_compression as tfc

from tf_imgcomp.entropy import coding, passes
from tf_imgcomp.entropy.fixed_point import (
    ACTIVATION_BITS,
    ACTIVATION_MAX,
    PARAMETER_BITS,
    IntegerDense,
    clip,
)
from tf_imgcomp.entropy.frequencies import PRECISION
from tf_imgcomp.entropy.latent_coder import LatentCoder
from tf_imgcomp.entropy.tables import Tables
from tf_imgcomp.layers import GainUnit
from tf_imgcomp.ops import checkerboard
from tf_imgcomp.ops.padding import patches_3x3
from tf_imgcomp.ops.rounding import round_half_up

Z_MAX = 127  # Larger hyper-latents are clipped by the encoder.
QUALITY_STEPS = 100  # A quality is written in hundredths.


class EncodedLatents(NamedTuple):
    """Latents as a file holds them.

    Attributes:
        strings: string vector: z, then the streams of each pass.
        y_hat: float32 `(1, h, w, c)`, what a decoder will see.
        checksum: int32 scalar of all decoded integers.
    """

    strings: tf.Tensor
    y_hat: tf.Tensor
    checksum: tf.Tensor


class DecodedLatents(NamedTuple):
    """Latents as decoded.

    Attributes:
        y_hat: float32 `(1, h, w, c)`.
        checksum: int32 scalar, to compare with the encoder's.
        sound: bool scalar, False where the range coder noticed damage.
    """

    y_hat: tf.Tensor
    checksum: tf.Tensor
    sound: tf.Tensor


class IntegerCoder(tf.Module):
    """Codes latents exactly: every integer that the range coder sees has one answer.

    Made once from trained weights and saved with the model. Encoder and decoder share
    everything but two lines: the loop over passes, the networks, the tables.

    Args:
        latent_coder: the trained entropy model.
        gain: the trained gains of y.

    References:
        Balle, Johnston and Minnen, "Integer Networks for Data Compression with
        Latent-Variable Models", ICLR 2019
    """

    def __init__(self, latent_coder: LatentCoder, gain: GainUnit):
        super().__init__(name="integer_coder")
        self.config = latent_coder.config
        self.tables = Tables()
        log2_gain = np.rint(gain.log2_gain.numpy().astype(np.float64) * 1024)
        self.log2_gain = tf.Variable(log2_gain.astype(np.int64), trainable=False)
        self.z_lookup = tf.Variable(_z_lookup(latent_coder.prior), trainable=False)
        magnitudes = np.log2(1 + np.arange(256)) * (1 << ACTIVATION_BITS)
        magnitudes = np.rint(magnitudes).astype(np.float32)
        self.log_table = tf.Variable(magnitudes, trainable=False)
        first, *others = latent_coder.hyper_synthesis
        self.hyper_synthesis = [_integer_dense(first.conv, 0, Z_MAX)]
        self.hyper_synthesis += [_integer_dense(layer.conv) for layer in others]
        if self.config.context != "none":
            self.embedding = _integer_dense(latent_coder.embedding)
            self.context = _integer_dense(latent_coder.context_conv.dense)
        *hidden, last = latent_coder.entropy_parameters
        self.hidden = [_integer_dense(layer) for layer in hidden]
        self.last = _integer_dense(last, output_bits=PARAMETER_BITS)

    def describe(self, z_hat: tf.Tensor) -> tf.Tensor:
        """hyper_synthesis on integers, see `LatentCoder.describe`."""
        for layer in self.hyper_synthesis:
            z_hat = tf.nn.depth_to_space(layer.activate(patches_3x3(z_hat)), 2)
        return z_hat

    def context_prediction(self, y_hat: tf.Tensor) -> tf.Tensor:
        """Context features at the other positions, from anchors."""
        anchors, _ = checkerboard.split(y_hat)
        index = tf.cast(tf.minimum(tf.abs(anchors), 255), tf.int32)
        magnitude = tf.gather(self.log_table.value(), index)
        features = tf.concat([tf.sign(anchors) * magnitude, magnitude], axis=-1)
        embedded = self.embedding.activate(features)
        embedded = checkerboard.merge(embedded, tf.zeros_like(embedded))
        return self.context.activate(checkerboard.anchors_around_others(embedded))

    def parameters(self, psi: tf.Tensor, context) -> tf.Tensor:
        """entropy_parameters on integers, 10 fraction bits."""
        context = tf.zeros_like(psi) if context is None else context
        h = tf.concat([psi, context], axis=-1)
        for layer in self.hidden:
            h = layer.activate(h)
        return self.last(h)

    def encode(self, y: tf.Tensor, z: tf.Tensor, quality: tf.Tensor) -> EncodedLatents:
        """Latents of one image to strings.

        Args:
            y: float32 `(1, h, w, c)`, in quantizer steps, `h` and `w` multiples of 4.
            z: float32 `(1, h / 4, w / 4, n)`, from hyper_analysis.
            quality: int64 scalar, in hundredths.
        """
        z_hat = clip(round_half_up(z), -Z_MAX, Z_MAX)
        wanted = passes.split_passes(self.config.context, round_half_up(y))
        strings = [self._encode_z(tf.cast(z_hat, tf.int32))]
        functions, log2_gain = self.tables.read(), self._log2_gain(quality)

        def code(index, raw):
            parameters = self.split_parameters(raw, log2_gain)
            rounded = tf.reshape(wanted[index], [-1])
            mine, y_hat = coding.encode(functions, *parameters, rounded)
            strings.append(mine)
            return y_hat

        y_hat = self._run(z_hat, code)
        return EncodedLatents(
            tf.concat(strings, axis=0), y_hat, coding.checksum(z_hat, y_hat)
        )

    def decode(
        self, strings: tf.Tensor, height: tf.Tensor, width: tf.Tensor, quality
    ) -> DecodedLatents:
        """Strings to latents.

        Args:
            strings: as `encode` gives them.
            height: int32 scalar, of z.
            width: int32 scalar, of z.
            quality: int64 scalar, in hundredths.
        """
        z, sound = self._decode_z(strings[:1], height, width)
        z_hat = tf.cast(z, tf.float32)
        state = {"strings": strings[1:], "sound": sound}
        functions, log2_gain = self.tables.read(), self._log2_gain(quality)

        def code(index, raw):
            parameters = self.split_parameters(raw, log2_gain)
            y_hat, state["strings"], sound = coding.decode(
                functions, *parameters, state["strings"]
            )
            state["sound"] &= sound
            return y_hat

        y_hat = self._run(z_hat, code)
        sound = state["sound"] & tf.equal(tf.size(state["strings"]), 0)
        return DecodedLatents(y_hat, coding.checksum(z_hat, y_hat), sound)

    def _run(self, z_hat: tf.Tensor, code) -> tf.Tensor:
        """Runs the passes; `code(index, raw)` gives the n latents of a pass."""

        def code_pass(index, raw):
            _, height, width, _ = tf.unstack(tf.shape(raw))
            shape = [1, height, width, self.config.latent_depth]
            return tf.reshape(code(index, raw), shape)

        return passes.run_passes(
            self.config.context,
            self.describe(z_hat),
            self.parameters,
            self.context_prediction,
            code_pass,
        )

    def split_parameters(self, raw: tf.Tensor, log2_gain: tf.Tensor) -> list:
        """Network outputs to logits, offsets and log2 scales, float32 `(K, n)`."""
        count = 3 * self.config.components
        raw = tf.reshape(raw, [-1, count, self.config.latent_depth])
        logits, offsets, log2_scales = tf.split(tf.transpose(raw, [1, 0, 2]), 3)
        log2_scales += log2_gain
        return [
            tf.reshape(field, [self.config.components, -1])
            for field in (logits, offsets, log2_scales)
        ]

    def _log2_gain(self, quality: tf.Tensor) -> tf.Tensor:
        """Gains between the trained levels, float32 `(c,)`, exact integers."""
        levels = self.log2_gain.shape[0]
        span = 99 * QUALITY_STEPS
        position = (quality - QUALITY_STEPS) * (levels - 1)
        below = tf.minimum(position // span, levels - 2)
        weight = position - below * span
        low, high = (
            tf.gather(self.log2_gain, below),
            tf.gather(self.log2_gain, below + 1),
        )
        return tf.cast(
            (low * (span - weight) + high * weight + span // 2) // span, tf.float32
        )

    def _encode_z(self, z: tf.Tensor) -> tf.Tensor:
        encoder = tfc.create_range_encoder([1], self.z_lookup)
        indexes = tf.broadcast_to(tf.range(self.config.hyper_depth), tf.shape(z))
        encoder = tfc.entropy_encode_index(encoder, indexes, z + Z_MAX)
        return tfc.entropy_encode_finalize(encoder)

    def _decode_z(
        self, string: tf.Tensor, height: tf.Tensor, width: tf.Tensor
    ) -> tuple:
        depth = self.config.hyper_depth
        indexes = tf.broadcast_to(tf.range(depth), [1, height, width, depth])
        decoder = tfc.create_range_decoder(string, self.z_lookup)
        decoder, z = tfc.entropy_decode_index(
            decoder, indexes, tf.shape(indexes)[1:], tf.int32
        )
        # A damaged string may hold symbols that no encoder writes.
        z = tf.clip_by_value(z - Z_MAX, -Z_MAX, Z_MAX)
        sound = tf.reduce_all(tf.equal(self._encode_z(z), string))
        return tf.ensure_shape(z, [1, None, None, depth]), sound


def _integer_dense(
    layer,
    input_bits=ACTIVATION_BITS,
    input_max=ACTIVATION_MAX,
    output_bits=ACTIVATION_BITS,
) -> IntegerDense:
    """From a dense layer, or a 3x3 convolution that becomes patches times a matrix."""
    kernel = layer.kernel.numpy().reshape(-1, layer.bias.shape[0])
    return IntegerDense(kernel, layer.bias.numpy(), input_bits, input_max, output_bits)


def _z_lookup(prior) -> np.ndarray:
    """A row of frequencies for each channel of z, symbols -127 to 127."""
    symbols = tf.range(-Z_MAX, Z_MAX + 1, dtype=tf.float32)[:, None]
    pmf = tf.transpose(prior.prob(tf.repeat(symbols, prior.batch_shape[0], axis=1)))
    pmf = tf.maximum(pmf, 2.0**-PRECISION)
    cdf = tfc.pmf_to_quantized_cdf(pmf / tf.reduce_sum(pmf, 1, True), PRECISION)
    precision = np.full((cdf.shape[0], 1), PRECISION, np.int32)
    return np.concatenate([precision, cdf.numpy()], axis=1).reshape(-1)
