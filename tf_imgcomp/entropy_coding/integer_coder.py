"""The trained latent coder in integers: latents to strings and back."""

from collections.abc import Sequence
from functools import partial
from typing import Callable, NamedTuple, Optional

import numpy as np
import tensorflow as tf
import tensorflow_compression as tfc

from tf_imgcomp.entropy import passes
from tf_imgcomp.entropy.latent_coder import LatentCoder, SliceModel, with_rate
from tf_imgcomp.entropy.optional_slice import is_worth_coding
from tf_imgcomp.entropy_coding import range_coder, symbol_coding
from tf_imgcomp.entropy_coding import symbol_streams as streams
from tf_imgcomp.entropy_coding.decisions import DecisionTables
from tf_imgcomp.entropy_coding.exact_coding import ExactCoding
from tf_imgcomp.entropy_coding.integer_networks import (
    ACTIVATION_BITS,
    ACTIVATION_MAX,
    PARAMETER_BITS,
    IntegerDense,
    at_all_positions,
    clip,
)
from tf_imgcomp.entropy_coding.range_coder import PRECISION, RangeCoder
from tf_imgcomp.entropy_coding.symbol_streams import TileStrings
from tf_imgcomp.entropy_coding.tied_rows import TiedTables
from tf_imgcomp.layers import GainUnit
from tf_imgcomp.ops import checkerboard, quads
from tf_imgcomp.ops.neighbourhoods import patches_3x3
from tf_imgcomp.ops.rounding import round_half_up

Z_MAX = 127  # Larger hyper-latents are clipped by the encoder.
QUALITY_STEPS = 100  # A quality is written in hundredths.

# The taps of a context's layers, from the embedded latents of a slice by pass.
_NEIGHBOURS = {
    "checkerboard": lambda decoded: checkerboard.anchors_around_others(*decoded),
    "quads": quads.neighbours,
}


class EncodedLatents(NamedTuple):
    """Latents as a file holds them, in two parts.

    Attributes:
        first: string vector, the streams of z and the first slice.
        rest: string vector, the streams of the other slices.
        checksums: int32 `(2,)`, of the integers of each part.
        y_hat: float32 `(1, h, w, c)`, the latents as decoded.
    """

    first: tf.Tensor
    rest: tf.Tensor
    checksums: tf.Tensor
    y_hat: tf.Tensor


class DecodedPart(NamedTuple):
    """The latents of a part of b tiles as decoded.

    Attributes:
        y_hat: float32 `(b, h, w, c)`, latents of all slices so far.
        checksum: int32 `(b,)`, to compare with the encoder's.
        valid_string_count: bool `(b,)`, whether an encoder writes so many strings for
            these latents.
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
    """Codes latents with integer networks and tables.

    Every machine decodes the same latents; encoders may choose other integers.

    Made once from trained weights and saved with the model. Encoder and decoder share
    the loop over passes, the networks and the tables.

    Args:
        latent_coder: the trained entropy model.
        gain: the trained gains of y.
        coder: writes and reads streams; `range_coder` or `standard_range_coder`.

    References:
        Balle, Johnston and Minnen, "Integer Networks for Data Compression with
        Latent-Variable Models", ICLR 2019
    """

    def __init__(
        self, latent_coder: LatentCoder, gain: GainUnit, coder: RangeCoder = range_coder
    ):
        super().__init__(name="integer_coder")
        self._range_coder = coder
        self.config = latent_coder.config
        certain_bits, z_rows = self.config.certain_bits, _z_rows(latent_coder.prior)
        if self.config.tied:
            self.tables = TiedTables(self.config.components, certain_bits, z_rows)
        else:
            self.tables = DecisionTables(certain_bits, z_rows)
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

    @property
    def psi_depth(self) -> int:
        """Channels of psi, the rate among them."""
        filters, _ = self.config.hyper_synthesis[-1]
        return filters + self.log2_gain.shape[0]

    def run_hyper_synthesis(self, z_hat: tf.Tensor, rate: tf.Tensor) -> tf.Tensor:
        """hyper_synthesis on integers, see `LatentCoder.run_hyper_synthesis`."""
        for layer, growth in zip(self.hyper_synthesis, self._growths):
            z_hat = at_all_positions(layer.activate, patches_3x3(z_hat))
            if growth > 1:
                z_hat = tf.nn.depth_to_space(z_hat, growth)
        return with_rate(z_hat, rate)

    def encode(
        self,
        y: tf.Tensor,
        z: tf.Tensor,
        quality: tf.Tensor,
        bits_per_error: Optional[tf.Tensor] = None,
    ) -> EncodedLatents:
        """Codes the latents of one tile.

        Args:
            y: float32 `(1, h, w, c)`, in quantizer steps, `h` and `w` multiples of 4.
            z: float32 `(1, h / 4, w / 4, n)`, from hyper_analysis.
            quality: int64 scalar, in hundredths.
            bits_per_error: float32 scalar, see `LatentCoderConfig`; None: that of the
                config. With a million, all latents are rounded except those that the
                tables take for certain zeros, and an optional slice is left out only
                if all its latents are zero.
        """
        if bits_per_error is None:
            bits_per_error = tf.constant(self.config.bits_per_error)
        z_hat, rows = clip(round_half_up(z), -Z_MAX, Z_MAX), self.tables.read()
        quality = quality[None]
        psi = self.run_hyper_synthesis(z_hat, self.rate(quality))

        def code(log, parameters, y):
            return symbol_coding.encode(rows, log, parameters, y, bits_per_error)

        symbols = tf.cast(tf.reshape(z_hat, [-1]), tf.int32) + Z_MAX
        log = streams.put(streams.new_log(), self._z_numbers(tf.shape(z)), symbols)
        coding_first = self.coding(quality, log, code, y)
        y_first = self.code_first(psi, coding_first)

        log, uses_optional = streams.new_log(), None
        if self.config.optional_slice:
            y_optional = y[..., self.config.base_depth :]
            uses_optional = is_worth_coding(y_optional, self.config, bits_per_error)
            log = streams.put_flag(log, uses_optional[0])
        coding_rest = self.coding(quality, log, code, y, uses_optional)
        y_hat = self.code_rest(psi, y_first, coding_rest)
        checksums = self._checksum_first(z_hat, y_first), self._checksum_rest(y_hat)
        return EncodedLatents(
            self._write(coding_first.coder, rows),
            self._write(coding_rest.coder, rows),
            tf.concat(checksums, axis=0),
            y_hat,
        )

    def decode_first(
        self, strings: TileStrings, height: tf.Tensor, width: tf.Tensor, quality
    ) -> tuple:
        """Decodes z and the first slice of b tiles of one size.

        Args:
            strings: from `encode`.
            height: int32 scalar, of z.
            width: int32 scalar, of z.
            quality: int64 `(b,)`, in hundredths.

        Returns:
            psi, see `run_hyper_synthesis`, for `decode_rest`; and the `DecodedPart`.
        """
        depth, rows = self.config.hyper_depth, self.tables.read()
        shape = tf.stack([tf.size(quality), height, width, depth])
        integers = (
            height * width * (depth + LatentCoder.STRIDE**2 * self.config.slices[0])
        )
        reader, valid_string_count = self._start_reading(rows, strings, integers)
        numbers = self._z_numbers(shape)
        tiles = reader.tiles_of(tf.range(tf.size(numbers)), tf.size(numbers))
        reader, symbols = reader.get(numbers, tiles)
        # A damaged string may hold symbols that no encoder writes.
        z_hat = clip(tf.cast(symbols - Z_MAX, tf.float32), -Z_MAX, Z_MAX)
        z_hat = tf.ensure_shape(tf.reshape(z_hat, shape), [None, None, None, depth])
        psi = self.run_hyper_synthesis(z_hat, self.rate(quality))
        coding = self.coding(quality, reader, _decoder(rows))
        y_first = self.code_first(psi, coding)
        checksum = self._checksum_first(z_hat, y_first)
        valid_string_count &= coding.coder.is_valid()
        return psi, DecodedPart(y_first, checksum, valid_string_count)

    def decode_rest(
        self, strings: TileStrings, psi: tf.Tensor, y_first: tf.Tensor, quality
    ) -> DecodedPart:
        """Decodes the other slices.

        Args:
            strings: from `encode`.
            psi: float32 `(b, h, w, f + levels)`, from `decode_first`.
            y_first: float32 `(b, h, w, slices[0])`, from there.
            quality: int64 `(b,)`, in hundredths.
        """
        rows, uses_optional = self.tables.read(), None
        integers = tf.size(y_first[0, ..., 0]) * self.config.latent_depth
        reader, valid_string_count = self._start_reading(rows, strings, integers)
        if self.config.optional_slice:
            reader, uses_optional = reader.get_flags()
        coding = self.coding(quality, reader, _decoder(rows), None, uses_optional)
        y_hat = self.code_rest(psi, y_first, coding)
        valid_string_count &= coding.coder.is_valid()
        return DecodedPart(y_hat, self._checksum_rest(y_hat), valid_string_count)

    def streams_max(self, rows: tf.Tensor, columns: tf.Tensor) -> tf.Tensor:
        """An upper bound of the streams of a part with so many latents, int32."""
        depth = self.config.latent_depth + self.config.hyper_depth
        return streams.stream_count_max(rows * columns * depth)

    def coding(
        self, quality, coder, code_elements: Callable, y=None, uses_optional=None
    ) -> ExactCoding:
        """The coding of a part.

        Args:
            quality: int64 `(b,)`, in hundredths.
            coder, code_elements, y, uses_optional: see `ExactCoding`.
        """
        log2_gain = self._log2_gain(quality)
        return ExactCoding(
            self.config, log2_gain, coder, code_elements, y, uses_optional
        )

    def code_first(self, psi: tf.Tensor, coding: passes.Coding) -> tf.Tensor:
        """Codes or decodes the first slice; returns it, float32 `(b, h, w, c)`."""
        return passes.run_passes(self.config.context, self.slices[:1], psi, coding)

    def code_rest(
        self, psi: tf.Tensor, y_first: tf.Tensor, coding: passes.Coding
    ) -> tf.Tensor:
        """Codes or decodes the other slices; returns the latents of all slices."""
        return passes.run_passes(
            self.config.context,
            self.slices,
            psi,
            coding,
            self.config.optional_slice,
            decoded=[y_first],
        )

    def _checksum_first(self, z_hat: tf.Tensor, y_first: tf.Tensor) -> tf.Tensor:
        return symbol_coding.checksum(z_hat, y_first)

    def _checksum_rest(self, y_hat: tf.Tensor) -> tf.Tensor:
        return symbol_coding.checksum(y_hat[..., self.config.slices[0] :])

    def _log2_gain(self, quality: tf.Tensor) -> tf.Tensor:
        """Gains at qualities `(b,)`, float32 `(b, c)`, exact integers."""
        return _interpolate_levels(self.log2_gain, quality)

    def rate(self, quality: tf.Tensor) -> tf.Tensor:
        """`Codec.rate_features` as activations, float32 `(b, levels)`."""
        unit = tf.eye(self.log2_gain.shape[0], dtype=tf.int64) * (1 << ACTIVATION_BITS)
        return _interpolate_levels(unit, quality)

    def _z_numbers(self, shape: tf.Tensor) -> tf.Tensor:
        """The rows of all elements of z, int32 `(n,)`."""
        numbers = self.tables.size + tf.range(self.config.hyper_depth)
        return tf.reshape(tf.broadcast_to(numbers, shape), [-1])

    def _write(self, log: tf.Tensor, rows: symbol_coding.Rows) -> tf.Tensor:
        return streams.write(
            log, rows.table, self._range_coder, rows.symbols_per_integer
        )

    def _start_reading(
        self, rows: symbol_coding.Rows, strings: TileStrings, integers: tf.Tensor
    ) -> tuple:
        """A reader of the strings of a part with at most so many integers in a tile.

        Returns:
            The reader, and whether an encoder can write as many strings, bool `(b,)`.
        """
        used = tf.clip_by_value(strings.counts, 1, streams.stream_count_max(integers))
        reader = partial(self._range_coder.reader, rows.table)
        return strings.reader(reader, used), tf.equal(used, strings.counts)


def _decoder(rows: symbol_coding.Rows) -> Callable:
    """Decodes elements for `ExactCoding`."""
    return lambda reader, parameters, _: symbol_coding.decode(rows, reader, parameters)


def _interpolate_levels(table: tf.Tensor, quality: tf.Tensor) -> tf.Tensor:
    """Integers between the trained levels, rounded, as exact float32.

    Args:
        table: int64 `(levels, c)`.
        quality: int64 `(b,)`, in hundredths.

    Returns:
        float32 `(b, c)`.
    """
    levels = table.shape[0]
    span = 99 * QUALITY_STEPS
    position = (quality - QUALITY_STEPS) * (levels - 1)
    below = tf.minimum(position // span, levels - 2)
    weight = position - below * span
    low, high = tf.gather(table, below), tf.gather(table, below + 1)
    weight = weight[:, None]
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
