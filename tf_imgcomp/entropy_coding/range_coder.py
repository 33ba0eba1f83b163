"""The range coder of TensorFlow Compression.

Only this module calls the operations that code ranges.

A coder has a fixed table of frequencies. Each symbol comes with the number of its row
in the table. This module is a `RangeCoder`; `standard_range_coder` is another one, of
the same streams.

A damaged string causes no error: missing bits are read as zeros, and a checksum detects
it.
"""

from typing import NamedTuple, Protocol

import numpy as np
import tensorflow as tf
import tensorflow_compression as tfc

# A row is the precision and then cumulative frequencies, from 0 to 2**16.
PRECISION = 16  # Bits of a cumulative frequency, the most that the library takes.
END = 1 << PRECISION


def packed(table: np.ndarray) -> np.ndarray:
    """A table as models keep it: uint16, the end of a row as a zero."""
    table = table.astype(np.int32)
    ends = np.flatnonzero(table == END)
    assert np.all(table[ends - 1] > PRECISION), "An end would be taken for a start."
    return table.astype(np.uint16)


def unpacked(table: tf.Tensor) -> tf.Tensor:
    """The inverse of `packed`, int32: a zero after a precision starts a row."""
    table = tf.cast(table, tf.int32)
    is_start = tf.equal(tf.roll(table, 1, 0), PRECISION)
    return tf.where(tf.equal(table, 0) & ~is_start, END, table)


def write(table: tf.Tensor, rows: tf.Tensor, symbols: tf.Tensor) -> tf.Tensor:
    """Writes one stream for each row of a matrix of symbols.

    Args:
        table: int32, rows of frequencies one after the other.
        rows: int32 `(streams, k)`. The number of each symbol's row.
        symbols: int32 `(streams, k)`.

    Returns:
        Strings `(streams,)`.
    """
    coder = tfc.create_range_encoder(tf.shape(rows)[:1], table)
    coder = tfc.entropy_encode_index(coder, rows, symbols)
    return tfc.entropy_encode_finalize(coder)


class Reader(Protocol):
    """Streams that are being read: a structure of tensors, as loops carry them."""

    def streams(self) -> tf.Tensor:
        """Their number, int32 scalar."""

    def read(self, rows: tf.Tensor) -> tuple:
        """Reads symbols with rows int32 `(streams, k)`.

        Returns:
            The reader after them, and int32 `(streams, k)`.
        """


class RangeCoder(Protocol):
    """The interface of a module that implements the range coder."""

    def write(self, table: tf.Tensor, rows: tf.Tensor, symbols: tf.Tensor) -> tf.Tensor:
        """See `range_coder.write`."""

    def reader(self, table: tf.Tensor, strings: tf.Tensor) -> Reader:
        """See `range_coder.reader`."""


class NativeReader(NamedTuple):
    """See `Reader`.

    Attributes:
        decoders: variant `(streams,)`, the library's decoders.
    """

    decoders: tf.Tensor

    def streams(self) -> tf.Tensor:
        return tf.size(self.decoders)

    def read(self, rows: tf.Tensor) -> tuple:
        decoders, symbols = tfc.entropy_decode_index(
            self.decoders, rows, tf.shape(rows)[1:], tf.int32
        )
        return NativeReader(decoders), symbols


def reader(table: tf.Tensor, strings: tf.Tensor) -> NativeReader:
    """Starts to read strings `(streams,)`; see `write`."""
    return NativeReader(tfc.create_range_decoder(strings, table))
