"""Integers to strings and back, with TensorFlow Compression's range coder."""

import tensorflow as tf
import tensorflow_compression as tfc

from tf_imgcomp.entropy import tables as tables_module
from tf_imgcomp.entropy.tables import HALF_WIDTHS, IntegerMixture, Tables

# Parallel streams cost a few bytes each and code side by side.
SYMBOLS_PER_STREAM = 8192

_ESCAPE_MAX = 1 << 24  # Farther symbols are damage; the coder takes less than 2**30.
_ZEROS = b"\0" * 16
_ONES = b"\xff" * 4096


class CodingPlan:
    """Which elements of a pass are coded, in which order, with which frequencies.

    Certain elements are left out. The others are grouped by the width of their
    window, so that a narrow distribution does not pay for a wide table.

    Args:
        tables: the sampled functions.
        mixture: of all n elements of the pass.

    Attributes:
        elements: int64 `(m,)`, the coded elements in their order.
        first_symbols: int32 `(m,)`, what integer symbol 0 stands for.
        lookup: int32 vector, the rows one after the other.
        streams: int32 scalar, at least 1.
    """

    def __init__(self, tables: Tables, mixture: IntegerMixture):
        certain = tables_module.is_certain(tables, mixture)
        coded = tf.where(tf.logical_not(certain))[:, 0]
        mixture = mixture.select(coded)
        lower, rows, elements, firsts = -1, [], [], []
        for half_width in HALF_WIDTHS:
            inside = mixture.reach > lower
            if half_width != HALF_WIDTHS[-1]:
                inside = tf.logical_and(inside, mixture.reach <= half_width)
            group = tf.where(inside)[:, 0]
            members = mixture.select(group)
            row = tables_module.cdf_rows(tables, members, half_width)
            rows.append(tf.reshape(row, [-1]))
            elements.append(tf.gather(coded, group))
            firsts.append(members.centre - half_width)
            lower = half_width
        # What fills up the last stream: a symbol that costs next to nothing.
        one = 1 << tables_module.PRECISION
        filler = tf.constant([tables_module.PRECISION, 0, one - 1, one])
        self.elements = tf.concat(elements, axis=0)
        self.first_symbols = tf.concat(firsts, axis=0)
        self.lookup = tf.concat([*rows, filler], axis=0)
        self._count = tf.size(self.first_symbols)
        self.streams = 1 + self._count // SYMBOLS_PER_STREAM
        self._fill = (-self._count) % self.streams

    def _indexes(self) -> tf.Tensor:
        filler = tf.fill([self._fill], self._count)
        indexes = tf.concat([tf.range(self._count), filler], axis=0)
        return tf.reshape(indexes, [self.streams, -1])

    def encode(self, values: tf.Tensor) -> tf.Tensor:
        """Strings `(streams,)` for the values of the coded elements, int32 `(m,)`."""
        symbols = tf.pad(values - self.first_symbols, [[0, self._fill]])
        symbols = tf.reshape(symbols, [self.streams, -1])
        encoder = tfc.create_range_encoder([self.streams], self.lookup)
        encoder = tfc.entropy_encode_index(encoder, self._indexes(), symbols)
        return tfc.entropy_encode_finalize(encoder)

    def decode(self, strings: tf.Tensor) -> tuple:
        """Values int32 `(m,)` from strings `(streams,)`, and whether they are sound.

        Sound strings are to the byte what `encode` makes of the values.
        """
        indexes = self._indexes()
        decoder = tfc.create_range_decoder(_continued(strings, indexes), self.lookup)
        decoder, symbols = tfc.entropy_decode_index(
            decoder, indexes, tf.shape(indexes)[1:], tf.int32
        )
        symbols = tf.reshape(symbols, [-1])[: self._count]
        symbols = tf.clip_by_value(symbols, -_ESCAPE_MAX, _ESCAPE_MAX)
        values = symbols + self.first_symbols
        return values, tf.reduce_all(tf.equal(self.encode(values), strings))


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
    position = tf.range(tf.size(flat, out_type=tf.int64))
    factor = (position * 40503) % 65519 + 1
    return tf.cast(tf.reduce_sum(factor * (flat % 65521) % 65521) % 65521, tf.int32)
