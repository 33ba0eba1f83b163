"""Integers to strings and back, with TensorFlow Compression's range coder."""

import functools
from typing import Protocol

import tensorflow as tf
import tensorflow_compression as tfc

# Parallel streams cost a few bytes each and code side by side.
SYMBOLS_PER_STREAM = 32768

_ESCAPE_MAX = 1 << 24  # Farther symbols are damage; the coder takes less than 2**30.
_ZEROS = b"\0" * 16
_ONES = b"\xff" * 4096
_PERIOD = 65519  # Of the factors in a checksum; a prime.


class Elements(Protocol):
    """m elements and the rows of frequencies they are coded with."""

    def encoding(self, y: tf.Tensor) -> tuple:
        """Chooses what to code of each element.

        Args:
            y: float64 `(m,)`, in quantizer steps.

        Returns:
            What the range coder takes: int32 rows one after the other, the first
            `tables.FILLER`; for each element the number of its row, int32 `(m,)`, and
            its symbol, int32 `(m,)`; and what a decoder will see, float64 `(m,)`.
        """

    def decoding(self) -> tuple:
        """Rows and numbers as above, and the value of symbol 0, float64 `(m,)`."""


class Rows(Protocol):
    """From what the integer networks say to rows of frequencies.

    What they say are the parameters of n elements, a list of float32 `(n,)` with 10
    fraction bits, in the order of `mixture.split_parameters`.
    """

    def are_zero(self, parameters: list) -> tf.Tensor:
        """Which elements are zero for certain and not coded, bool `(n,)`."""

    def elements(self, parameters: list) -> Elements:
        """The elements with these parameters."""


# A TensorFlow function that stays one in the graphs of its callers: these code several
# passes, and what is in a graph once is loaded and optimized once.
_shared = functools.partial(
    tf.function, reduce_retracing=True, experimental_attributes={"_noinline": True}
)


@_shared
def encode(rows: Rows, parameters: list, y: tf.Tensor) -> tuple:
    """Codes the latents of a pass.

    Args:
        rows: rows of frequencies.
        parameters: what the integer networks say, see `Rows`.
        y: float32 `(n,)`, in quantizer steps.

    Returns:
        What a decoder will see, float32 `(n,)`; and strings `(streams,)`.
    """
    plan = CodingPlan(rows, parameters)
    values, strings = plan.encode(tf.gather(y, plan.positions))
    return plan.with_zeros(values), strings


@_shared
def decode(rows: Rows, parameters: list, strings: tf.Tensor) -> tuple:
    """Decodes the latents of a pass from the first of `strings`.

    Returns:
        Latents float32 `(n,)`; the strings of later passes; and a bool scalar, whether
        there were strings enough. What damaged strings decode to is some latents:
        a checksum must tell.
    """
    plan = CodingPlan(rows, parameters)
    missing = tf.maximum(plan.streams - tf.size(strings), 0)
    strings = tf.concat([strings, tf.fill([missing], "")], axis=0)
    values = plan.decode(strings[: plan.streams])
    return plan.with_zeros(values), strings[plan.streams :], tf.equal(missing, 0)


class CodingPlan:
    """Which elements of a pass are coded, and in how many streams.

    Args:
        rows: rows of frequencies.
        parameters: of all n elements of the pass, as for `encode`.

    Attributes:
        positions: int32 `(m,)`, of the elements that are not zero for certain.
        streams: int32 scalar, at least 1.
    """

    def __init__(self, rows: Rows, parameters: list):
        are_zero = rows.are_zero(parameters)
        self._size = tf.size(are_zero)
        self.positions = tf.cast(tf.where(~are_zero)[:, 0], tf.int32)
        coded = [tf.gather(kind, self.positions) for kind in parameters]
        self._elements = rows.elements(coded)
        self._count = tf.size(self.positions)
        self.streams = 1 + self._count // SYMBOLS_PER_STREAM
        self._fill = (-self._count) % self.streams

    def encode(self, y: tf.Tensor) -> tuple:
        """Chooses what to code of the m elements and codes it.

        Args:
            y: float32 `(m,)`, in quantizer steps.

        Returns:
            Values, float64 integers `(m,)`, and strings `(streams,)`.
        """
        rows, numbers, symbols, values = self._elements.encoding(tf.cast(y, tf.float64))
        encoder = tfc.create_range_encoder([self.streams], rows)
        encoder = tfc.entropy_encode_index(
            encoder, self._by_stream(numbers), self._by_stream(symbols)
        )
        return values, tfc.entropy_encode_finalize(encoder)

    def decode(self, strings: tf.Tensor) -> tf.Tensor:
        """Values float64 `(m,)` from strings `(streams,)`."""
        rows, numbers, first = self._elements.decoding()
        numbers = self._by_stream(numbers)
        decoder = tfc.create_range_decoder(_continued(strings, numbers), rows)
        decoder, symbols = tfc.entropy_decode_index(
            decoder, numbers, tf.shape(numbers)[1:], tf.int32
        )
        symbols = tf.reshape(symbols, [-1])[: self._count]
        symbols = tf.clip_by_value(symbols, -_ESCAPE_MAX, _ESCAPE_MAX)
        return first + tf.cast(symbols, tf.float64)

    def _by_stream(self, x: tf.Tensor) -> tf.Tensor:
        """Of int32 `(m,)` each stream's, `(streams, k)`, filled up with zeros."""
        return tf.reshape(tf.pad(x, [[0, self._fill]]), [self.streams, -1])

    def with_zeros(self, values: tf.Tensor) -> tf.Tensor:
        """All elements, float32 `(n,)`, from the coded ones, float64 `(m,)`."""
        # A seventh of the time of tf.scatter_nd.
        return tf.raw_ops.SparseToDense(
            sparse_indices=self.positions,
            output_shape=[self._size],
            sparse_values=tf.cast(values, tf.float32),
            default_value=0.0,
            validate_indices=False,  # They come from tf.where.
        )


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
