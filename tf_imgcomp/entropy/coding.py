"""Integers to strings and back, with TensorFlow Compression's range coder."""

import tensorflow as tf
import tensorflow_compression as tfc

from tf_imgcomp.entropy import frequencies, integer_mixture
from tf_imgcomp.entropy.frequencies import HALF_WIDTHS
from tf_imgcomp.entropy.tables import Functions

# Parallel streams cost a few bytes each and code side by side.
SYMBOLS_PER_STREAM = 8192

_ESCAPE_MAX = 1 << 24  # Farther symbols are damage; the coder takes less than 2**30.
_ZEROS = b"\0" * 16
_ONES = b"\xff" * 4096
_PERIOD = 65519  # Of the factors in a checksum; a prime.


# Functions in TensorFlow's sense too: graphs of several passes then share them.


@tf.function(reduce_retracing=True)
def encode(functions: Functions, parameters: tf.Tensor, y: tf.Tensor) -> tuple:
    """Codes the latents of a pass.

    Args:
        functions: the sampled functions.
        parameters: float32 `(3 * K, n)`, what the integer networks say: logits,
            offsets, log2 scales with 10 fraction bits.
        y: float32 `(n,)`, in quantizer steps.

    Returns:
        What a decoder will see, float32 `(n,)`; and strings `(streams,)`.
    """
    plan = CodingPlan(functions, parameters)
    values = plan.choose(tf.gather(y, plan.elements))
    return plan.with_certain(values), plan.encode(values)


@tf.function(reduce_retracing=True)
def decode(functions: Functions, parameters: tf.Tensor, strings: tf.Tensor) -> tuple:
    """Decodes the latents of a pass from the first of `strings`.

    Returns:
        Latents float32 `(n,)`; the strings of later passes; and a bool scalar, whether
        there were strings enough. What damaged strings decode to is some latents:
        a checksum must tell.
    """
    plan = CodingPlan(functions, parameters)
    missing = tf.maximum(plan.streams - tf.size(strings), 0)
    strings = tf.concat([strings, tf.fill([missing], "")], axis=0)
    values = plan.decode(strings[: plan.streams])
    return plan.with_certain(values), strings[plan.streams :], tf.equal(missing, 0)


class CodingPlan:
    """Which elements of a pass are coded, in which order, with which frequencies.

    Certain elements are left out. The others are grouped by the width of their
    window, so that a narrow distribution does not pay for a wide table.

    Args:
        functions: the sampled functions.
        parameters: of all n elements of the pass, as for `encode`.

    Attributes:
        elements: int32 `(m,)`, the coded elements in their order.
        streams: int32 scalar, at least 1.
    """

    def __init__(self, functions: Functions, parameters: tf.Tensor):
        self._functions = functions
        logits, offsets, log2_scales = tf.split(parameters, 3)
        gaussians = integer_mixture.make_gaussians(functions, offsets, log2_scales)
        self._certain, certain = integer_mixture.certain_integers(gaussians)
        coded = tf.cast(tf.where(~certain)[:, 0], tf.int32)
        mixture = integer_mixture.make_mixture(
            functions, tf.gather(logits, coded, axis=1), gaussians.select(coded)
        )
        order = tf.dynamic_partition(
            tf.range(tf.size(coded)), frequencies.window(mixture), len(HALF_WIDTHS)
        )
        self._sizes = [tf.size(group) for group in order]
        order = tf.concat(order, axis=0)
        self._mixture = mixture.select(order)
        self.elements = tf.gather(coded, order)
        self._count = tf.size(self.elements)
        self.streams = 1 + self._count // SYMBOLS_PER_STREAM
        self._fill = (-self._count) % self.streams

    def choose(self, y: tf.Tensor) -> tf.Tensor:
        """What to code of the coded elements, from float32 `(m,)` to such integers."""
        y = tf.cast(y, tf.float64)
        return integer_mixture.choose_integers(self._functions, self._mixture, y)

    def encode(self, values: tf.Tensor) -> tf.Tensor:
        """Strings `(streams,)` for the values of the coded elements, float64 `(m,)`."""
        half_widths = tf.repeat(tf.constant(HALF_WIDTHS, tf.float64), self._sizes)
        rows, symbols = frequencies.one_symbol(
            self._functions, self._mixture, half_widths, values
        )
        symbols = tf.reshape(tf.pad(symbols, [[0, self._fill]]), [self.streams, -1])
        encoder = tfc.create_range_encoder([self.streams], _lookup([rows]))
        encoder = tfc.entropy_encode_index(encoder, self._indexes(), symbols)
        return tfc.entropy_encode_finalize(encoder)

    def decode(self, strings: tf.Tensor) -> tf.Tensor:
        """Values float64 `(m,)` from strings `(streams,)`."""
        rows, firsts, start = [], [], 0
        for half_width, size in zip(HALF_WIDTHS, self._sizes):
            mixture = self._mixture.between(start, start + size)
            rows.append(frequencies.all_symbols(self._functions, mixture, half_width))
            firsts.append(mixture.centre - half_width)
            start += size
        indexes = self._indexes()
        strings = _continued(strings, indexes)
        decoder = tfc.create_range_decoder(strings, _lookup(rows))
        decoder, symbols = tfc.entropy_decode_index(
            decoder, indexes, tf.shape(indexes)[1:], tf.int32
        )
        symbols = tf.reshape(symbols, [-1])[: self._count]
        symbols = tf.clip_by_value(symbols, -_ESCAPE_MAX, _ESCAPE_MAX)
        return tf.cast(symbols, tf.float64) + tf.concat(firsts, axis=0)

    def with_certain(self, values: tf.Tensor) -> tf.Tensor:
        """All elements, float32 `(n,)`, from the coded ones, float64 `(m,)`."""
        everything = tf.range(tf.size(self._certain))
        values = tf.dynamic_stitch([everything, self.elements], [self._certain, values])
        return tf.cast(values, tf.float32)

    def _indexes(self) -> tf.Tensor:
        """Rows of the streams' symbols, int32 `(streams, k)`, filled up at the end."""
        fillers = tf.fill([self._fill], self._count)
        indexes = tf.concat([tf.range(self._count), fillers], axis=0)
        return tf.reshape(indexes, [self.streams, -1])


def _lookup(rows: list) -> tf.Tensor:
    """Rows of frequencies one after the other, and that of the filler, int32."""
    rows = [tf.reshape(row, [-1]) for row in rows]
    return tf.concat([*rows, frequencies.FILLER], axis=0)


def _continued(strings: tf.Tensor, indexes: tf.Tensor) -> tf.Tensor:
    """Strings that hold enough for as many symbols as there are `indexes`.

    Beyond a string's end the range decoder reads zeros, and a sound string needs a
    few. Reading the length of an escape it would wait there for a one for ever, so
    ones follow: then a symbol takes 16 bits at most and its escape twice 34.
    """
    chunks = 1 + 12 * tf.shape(indexes)[1] // len(_ONES)
    return strings + _ZEROS + tf.strings.reduce_join(tf.fill([chunks], _ONES))


def checksum(*latents: tf.Tensor) -> tf.Tensor:
    """A checksum of decoded latents, int32 scalar in [0, 65521)."""
    flat = tf.concat([tf.reshape(tf.cast(t, tf.int64), [-1]) for t in latents], axis=0)
    # A factor for each position, made once: they repeat.
    factors = tf.range(_PERIOD, dtype=tf.int64) * 40503 % _PERIOD + 1
    count = tf.size(flat)
    factors = tf.tile(factors, [count // _PERIOD + 1])[:count]
    return tf.cast(tf.reduce_sum(factors * flat) % 65521, tf.int32)
