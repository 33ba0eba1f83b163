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
    values, strings = plan.encode(tf.gather(y, plan.elements))
    return plan.with_zeros(values), strings


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
    return plan.with_zeros(values), strings[plan.streams :], tf.equal(missing, 0)


class CodingPlan:
    """Which elements of a pass are coded, and with which frequencies.

    Args:
        functions: the sampled functions.
        parameters: of all n elements of the pass, as for `encode`.

    Attributes:
        elements: int32 `(m,)`, those that are not zero for certain.
        streams: int32 scalar, at least 1.
    """

    def __init__(self, functions: Functions, parameters: tf.Tensor):
        self._functions = functions
        is_zero = integer_mixture.is_zero(functions, *tf.split(parameters, 3))
        self._size = tf.size(is_zero)
        self.elements = tf.cast(tf.where(~is_zero)[:, 0], tf.int32)
        parameters = tf.gather(parameters, self.elements, axis=1)
        self._mixture = integer_mixture.make_mixture(
            functions, *tf.split(parameters, 3)
        )
        self._window, self._half_widths = frequencies.half_widths(self._mixture)
        self._count = tf.size(self.elements)
        self.streams = 1 + self._count // SYMBOLS_PER_STREAM
        self._fill = (-self._count) % self.streams

    def encode(self, y: tf.Tensor) -> tuple:
        """Chooses what to code of the m elements and codes it.

        Args:
            y: float32 `(m,)`, in quantizer steps.

        Returns:
            Values, float64 integers `(m,)`, and strings `(streams,)`.
        """
        intervals = integer_mixture.choose_integers(
            self._functions, self._mixture, self._half_widths, tf.cast(y, tf.float64)
        )
        rows, symbols = frequencies.one_symbol(intervals, self._half_widths)
        symbols = tf.reshape(tf.pad(symbols, [[0, self._fill]]), [self.streams, -1])
        encoder = tfc.create_range_encoder([self.streams], _lookup([rows]))
        indexes = self._by_stream(tf.range(self._count))
        encoder = tfc.entropy_encode_index(encoder, indexes, symbols)
        values = self._mixture.centre + intervals.offsets
        return values, tfc.entropy_encode_finalize(encoder)

    def decode(self, strings: tf.Tensor) -> tf.Tensor:
        """Values float64 `(m,)` from strings `(streams,)`."""
        # By width: a narrow distribution does not pay for a wide window.
        groups = tf.dynamic_partition(
            tf.range(self._count), self._window, len(HALF_WIDTHS)
        )
        rows = [
            frequencies.all_symbols(
                self._functions, self._mixture.select(group), half_width
            )
            for half_width, group in zip(HALF_WIDTHS, groups)
        ]
        row_of_element = tf.math.invert_permutation(tf.concat(groups, axis=0))
        indexes = self._by_stream(row_of_element)
        strings = _continued(strings, indexes)
        decoder = tfc.create_range_decoder(strings, _lookup(rows))
        decoder, symbols = tfc.entropy_decode_index(
            decoder, indexes, tf.shape(indexes)[1:], tf.int32
        )
        symbols = tf.reshape(symbols, [-1])[: self._count]
        symbols = tf.clip_by_value(symbols, -_ESCAPE_MAX, _ESCAPE_MAX)
        first = self._mixture.centre - self._half_widths
        return first + tf.cast(symbols, tf.float64)

    def _by_stream(self, rows: tf.Tensor) -> tf.Tensor:
        """Rows of the streams' symbols, int32 `(streams, k)`, filled up at the end."""
        fillers = tf.fill([self._fill], self._count)
        return tf.reshape(tf.concat([rows, fillers], axis=0), [self.streams, -1])

    def with_zeros(self, values: tf.Tensor) -> tf.Tensor:
        """All elements, float32 `(n,)`, from the coded ones, float64 `(m,)`."""
        values = tf.cast(values, tf.float32)
        return tf.scatter_nd(self.elements[:, None], values, [self._size])


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
