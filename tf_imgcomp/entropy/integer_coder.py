"""The trained latent coder in integers: latents to strings and back."""

from collections.abc import Sequence
from typing import Callable, NamedTuple

import numpy as np
import tensorflow as tf
import tensorflow_compression as tfc

from tf_imgcomp.entropy import passes, range_coder, symbol_coding
from tf_imgcomp.entropy.decisions import DecisionTables
from tf_imgcomp.entropy.exact_coding import ExactCoding
from tf_imgcomp.entropy.fixed_point import (
    ACTIVATION_BITS,
    ACTIVATION_MAX,
    PARAMETER_BITS,
    IntegerDense,
    at_all_positions,
    clip,
)
from tf_imgcomp.entropy.latent_coder import LatentCoder, SliceModel, with_rate
from tf_imgcomp.entropy.optional_slice import is_worth_coding
from tf_imgcomp.entropy.range_coder import PRECISION
from tf_imgcomp.entropy.tied_rows import TiedTables
from tf_imgcomp.layers import GainUnit
from tf_imgcomp.ops import checkerboard, quads
from tf_imgcomp.ops.neighbourhoods import patches_3x3
from tf_imgcomp.ops.rounding import round_half_up

Z_MAX = 127  # Larger hyper-latents are clipped by the encoder.
QUALITY_STEPS = 100  # A quality is written in hundredths.

# Bits that a squared error of one step is worth when integers are given: more than any
# integer needs, so that no other one is taken.
_NO_CHOICE = 1e6

# The taps of a context's layers, from the embedded latents of a slice by pass.
_NEIGHBOURS = {
    "checkerboard": lambda decoded: checkerboard.anchors_around_others(*decoded),
    "quads": quads.neighbours,
}


class EncodedLatents(NamedTuple):
    """Latents as a file holds them.

    Attributes:
        strings: string vector, the streams; each has a part of z and of every pass.
        y_hat: float32 `(1, h, w, c)`, the latents as decoded.
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
        valid_string_count: bool scalar, whether the number of strings is right.
    """

    y_hat: tf.Tensor
    checksum: tf.Tensor
    valid_string_count: tf.Tensor


class IntegerSlice(tf.Module):
    """The networks of one slice on integers; see `passes.OrderedSliceNetworks`.

    Args:
        model: the trained `SliceModel`.
        log_table: float32 variable. log2(1 + n) at n = 0, 1, .., as activations.
    """

    def __init__(self, model: SliceModel, log_table: tf.Variable):
        super().__init__()
        self.features = model.features
        self._log_table = log_table
        # The first slice has no channel context, and context none no spatial one.
        channel_conv, context = model.channel_conv, model.context_conv.dense
        self.channel_conv = _integer_dense(channel_conv) if channel_conv.built else None
        layers = context if model.config.context == "quads" else [context]
        self.context_convs = [_integer_dense(each) for each in layers if each.built]
        self._around = _NEIGHBOURS.get(model.config.context)
        self.embedding, self.embedding_depth = None, len(model.initial_deviations)
        if model.config.embedding and model.embedding.built:
            self.embedding = _integer_dense(model.embedding)
            self.embedding_depth = model.embedding.units
        *hidden, last = model.entropy_parameters
        self.hidden = [_integer_dense(layer) for layer in hidden]
        self.last = _integer_dense(last, output_bits=PARAMETER_BITS)

    def embed(self, y_hat: tf.Tensor) -> tf.Tensor:
        table = self._log_table.value()
        index = tf.cast(tf.minimum(tf.abs(y_hat), table.shape[0] - 1), tf.int32)
        magnitude = tf.gather(table, index)
        signed = tf.sign(y_hat) * magnitude
        if self.embedding is None:
            return signed
        features = tf.concat([signed, magnitude], axis=-1)
        return at_all_positions(self.embedding.activate, features)

    def channel_context(self, embedded: tf.Tensor) -> tf.Tensor:
        return at_all_positions(self.channel_conv.activate, patches_3x3(embedded))

    def context_prediction(self, decoded: Sequence[tf.Tensor]) -> tf.Tensor:
        conv = self.context_convs[len(decoded) - 1]
        return at_all_positions(conv.activate, self._around(decoded))

    def context_at(self, taps: tf.Tensor) -> tf.Tensor:
        return at_all_positions(self.context_convs[0].activate, taps)

    def parameters(self, features: tf.Tensor) -> tf.Tensor:
        def networks(features):
            for layer in self.hidden:
                features = layer.activate(features)
            return self.last(features)

        return at_all_positions(networks, features)


class IntegerCoder(tf.Module):
    """Codes latents with integer networks and tables, alike on every machine.

    Made once from trained weights and saved with the model. Encoder and decoder share
    the loop over passes, the networks and the tables.

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
        z_rows = _z_rows(latent_coder.prior)
        if self.config.tied:
            self.tables = TiedTables(self.config.components, z_rows)
        else:
            self.tables = DecisionTables(z_rows)
        log2_gain = np.rint(gain.log2_gain.numpy().astype(np.float64) * 1024)
        self.log2_gain = tf.Variable(log2_gain.astype(np.int64), trainable=False)
        magnitudes = np.log2(1 + np.arange(256)) * (1 << ACTIVATION_BITS)
        magnitudes = np.rint(magnitudes).astype(np.float32)
        self.log_table = tf.Variable(magnitudes, trainable=False)
        first, *others = latent_coder.hyper_synthesis
        self.hyper_synthesis = [_integer_dense(first.conv, 0, Z_MAX)]
        self.hyper_synthesis += [_integer_dense(layer.conv) for layer in others]
        self._growths = [layer.factor for layer in latent_coder.hyper_synthesis]
        self.slices = [
            IntegerSlice(model, self.log_table) for model in latent_coder.slices
        ]

    def run_hyper_synthesis(self, z_hat: tf.Tensor, rate: tf.Tensor) -> tf.Tensor:
        """hyper_synthesis on integers, see `LatentCoder.run_hyper_synthesis`."""
        for layer, growth in zip(self.hyper_synthesis, self._growths):
            z_hat = at_all_positions(layer.activate, patches_3x3(z_hat))
            if growth > 1:
                z_hat = tf.nn.depth_to_space(z_hat, growth)
        return with_rate(z_hat, rate)

    def encode(self, y: tf.Tensor, z: tf.Tensor, quality: tf.Tensor) -> EncodedLatents:
        """Codes the latents of one image.

        Args:
            y: float32 `(1, h, w, c)`, in quantizer steps, `h` and `w` multiples of 4.
            z: float32 `(1, h / 4, w / 4, n)`, from hyper_analysis.
            quality: int64 scalar, in hundredths.
        """
        return self._encode(y, z, quality, self.config.bits_per_error)

    def encode_integers(
        self, y_hat: tf.Tensor, z_hat: tf.Tensor, quality: tf.Tensor
    ) -> EncodedLatents:
        """Codes integers that are chosen already.

        Latents that the tables take for certain zeros are not coded. An optional slice
        of zeros is left out. Arguments are like those of `encode`.
        """
        return self._encode(y_hat, z_hat, quality, _NO_CHOICE)

    def _encode(self, y, z, quality, bits_per_error: float) -> EncodedLatents:
        z_hat = clip(round_half_up(z), -Z_MAX, Z_MAX)
        rows = self.tables.read()
        streams = range_coder.stream_count(self._base_size(tf.shape(z)))
        coder = range_coder.encoder(rows.table, streams)
        symbols = tf.cast(tf.reshape(z_hat, [-1]), tf.int32) + Z_MAX
        coder = range_coder.put(coder, self._z_numbers(tf.shape(z)), symbols)
        uses_optional = None
        if self.config.optional_slice:
            y_optional = y[..., self.config.base_depth :]
            uses_optional = is_worth_coding(y_optional, bits_per_error)[0]
            coder = range_coder.put_flag(coder, uses_optional)

        def code(coder, parameters, y):
            return symbol_coding.encode(rows, coder, parameters, y, bits_per_error)

        coder, y_hat = self.code_passes(z_hat, quality, coder, code, y, uses_optional)
        strings = range_coder.finish(coder)
        return EncodedLatents(strings, y_hat, symbol_coding.checksum(z_hat, y_hat))

    def decode(
        self, strings: tf.Tensor, height: tf.Tensor, width: tf.Tensor, quality
    ) -> DecodedLatents:
        """Decodes the latents of one image.

        Args:
            strings: string vector, from `encode`.
            height: int32 scalar, of z.
            width: int32 scalar, of z.
            quality: int64 scalar, in hundredths.
        """
        depth = self.config.hyper_depth
        shape = tf.stack([1, height, width, depth])
        streams = range_coder.stream_count(self._base_size(shape))
        valid_string_count = tf.equal(tf.size(strings), streams)
        rows = self.tables.read()
        coder = range_coder.decoder(rows.table, strings[:streams])
        coder, symbols = range_coder.get(coder, self._z_numbers(shape))
        # A damaged string may hold symbols that no encoder writes.
        z_hat = clip(tf.cast(symbols - Z_MAX, tf.float32), -Z_MAX, Z_MAX)
        z_hat = tf.ensure_shape(tf.reshape(z_hat, shape), [1, None, None, depth])
        uses_optional = None
        if self.config.optional_slice:
            coder, uses_optional = range_coder.get_flag(coder)

        def code(coder, parameters, _):
            return symbol_coding.decode(rows, coder, parameters)

        coder, y_hat = self.code_passes(
            z_hat, quality, coder, code, uses_optional=uses_optional
        )
        return DecodedLatents(
            y_hat, symbol_coding.checksum(z_hat, y_hat), valid_string_count
        )

    def code_passes(
        self,
        z_hat,
        quality,
        coder,
        code_elements: Callable,
        y=None,
        uses_optional=None,
    ) -> tuple:
        """Codes or decodes all latents, pass by pass.

        Args:
            z_hat: float32 `(1, h, w, n)`.
            quality: int64 scalar, in hundredths.
            coder, code_elements, y, uses_optional: see `ExactCoding`.

        Returns:
            The coder, and the latents as decoded, float32 `(1, h, w, c)`.
        """
        coding = ExactCoding(
            self.config,
            self._log2_gain(quality),
            coder,
            code_elements,
            y,
            uses_optional,
        )
        psi = self.run_hyper_synthesis(z_hat, self._rate(quality))
        y_hat = passes.run_passes(
            self.config.context, self.slices, psi, coding, self.config.optional_slice
        )
        return coding.coder, y_hat

    def _base_size(self, z_shape: tf.Tensor) -> tf.Tensor:
        """Latents of an image without its optional slice, int32 scalar."""
        positions = z_shape[1] * z_shape[2] * LatentCoder.STRIDE**2
        return positions * self.config.base_depth

    def _log2_gain(self, quality: tf.Tensor) -> tf.Tensor:
        """Gains at a quality, float32 `(c,)`, exact integers."""
        return _interpolate_levels(self.log2_gain, quality)

    def _rate(self, quality: tf.Tensor) -> tf.Tensor:
        """`Codec.rate_features` as activations, float32 `(1, levels)`."""
        unit = tf.eye(self.log2_gain.shape[0], dtype=tf.int64) * (1 << ACTIVATION_BITS)
        return _interpolate_levels(unit, quality)[None]

    def _z_numbers(self, shape: tf.Tensor) -> tf.Tensor:
        """The rows of all elements of z, int32 `(n,)`."""
        numbers = self.tables.size + tf.range(self.config.hyper_depth)
        return tf.reshape(tf.broadcast_to(numbers, shape), [-1])


def _interpolate_levels(table: tf.Tensor, quality: tf.Tensor) -> tf.Tensor:
    """Integers between the trained levels, rounded, as exact float32.

    Args:
        table: int64 `(levels, c)`.
        quality: int64 scalar, in hundredths.
    """
    levels = table.shape[0]
    span = 99 * QUALITY_STEPS
    position = (quality - QUALITY_STEPS) * (levels - 1)
    below = tf.minimum(position // span, levels - 2)
    weight = position - below * span
    low, high = tf.gather(table, below), tf.gather(table, below + 1)
    between = (low * (span - weight) + high * weight + span // 2) // span
    return tf.cast(between, tf.float32)


def _integer_dense(
    layer,
    input_bits=ACTIVATION_BITS,
    input_max=ACTIVATION_MAX,
    output_bits=ACTIVATION_BITS,
) -> IntegerDense:
    """From a dense layer, or a 3x3 convolution that becomes patches times a matrix."""
    kernel = layer.kernel.numpy().reshape(-1, layer.bias.shape[0])
    return IntegerDense(kernel, layer.bias.numpy(), input_bits, input_max, output_bits)


def _z_rows(prior) -> np.ndarray:
    """A row of frequencies for each channel of z, symbols -127 to 127, int32."""
    symbols = tf.range(-Z_MAX, Z_MAX + 1, dtype=tf.float32)[:, None]
    pmf = tf.transpose(prior.prob(tf.repeat(symbols, prior.batch_shape[0], axis=1)))
    pmf = tf.maximum(pmf, 2.0**-PRECISION)
    cdf = tfc.pmf_to_quantized_cdf(pmf / tf.reduce_sum(pmf, 1, True), PRECISION)
    precision = np.full((cdf.shape[0], 1), PRECISION, np.int32)
    return np.concatenate([precision, cdf.numpy()], axis=1).reshape(-1)
