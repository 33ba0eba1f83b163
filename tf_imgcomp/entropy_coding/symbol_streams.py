"""Symbols of a part of a file, dealt to parallel streams.

An encoder logs symbols, call by call, and writes them when all are known: the number of
streams follows from the number of symbols. Each call is filled up to a multiple of the
number of streams, and its symbols go to the streams in turn. So a decoder, which makes
the same calls, reads equally many symbols from every stream in each call.

The range coder's own escape codes would read missing bits of a damaged string forever,
so integers without a symbol in their row are written here as two digits.
"""

from typing import Callable, NamedTuple

import numpy as np
import tensorflow as tf

from tf_imgcomp.entropy_coding.range_coder import END, PRECISION, RangeCoder, Reader

# In standard operations one symbol of every stream takes some 10 us, so more streams
# decode faster. Each costs two bytes with its length: 0.1 to 0.3 % of the file, most
# at rates below a bit per integer. (6144 cost more than 0.3 %, the most that streams
# may.)
INTEGERS_PER_STREAM = 8192

_BASE = 1 << 12
_DISTANCE_MAX = _BASE**2 // 2 - 1  # 2**23 - 1.

# Every table starts with these rows. The first row codes the zeros that fill up calls,
# at almost no cost. The others code integers without a symbol: a high digit, nearly
# always 0, and a low digit, which is d with a probability of about
# 3 / ((d + 3) (d + 4)).
_HIGH, _LOW = 1, 2
FLAG_ROW = _LOW
FIRST_ROWS = 3
_digits = np.arange(1, _BASE)
FIRST_TABLE = np.concatenate(
    [
        [PRECISION, 0, END - 1, END],
        [PRECISION, 0, *(END - _BASE + _digits), END],
        [PRECISION, 0, *(_digits + (END - _BASE) * _digits // (_digits + 3)), END],
    ]
)


def stream_count(integers: tf.Tensor) -> tf.Tensor:
    """Number of streams of so many coded integers, int32 scalar."""
    return tf.maximum(integers // INTEGERS_PER_STREAM, 1)


def integers_max(streams: tf.Tensor) -> tf.Tensor:
    """So many streams have fewer coded integers than this."""
    return (streams + 1) * INTEGERS_PER_STREAM


def stream_count_max(integers: tf.Tensor) -> tf.Tensor:
    """The largest number of streams of so many integers, coded or not, and a flag.

    An integer without a symbol counts three times, as it takes two digits.
    """
    return stream_count(3 * integers + 1)


def new_log() -> tf.Tensor:
    """An empty log of symbols, a variant scalar, which loops can carry."""
    return tf.raw_ops.EmptyTensorList(
        element_shape=[-1, 2], max_num_elements=-1, element_dtype=tf.int32
    )


def put(log: tf.Tensor, rows: tf.Tensor, symbols: tf.Tensor) -> tf.Tensor:
    """Logs symbols int32 `(n,)`, each with the row of that number, as one call.

    Returns:
        The log.
    """
    call = tf.stack([rows, symbols], axis=1)
    return tf.raw_ops.TensorListPushBack(input_handle=log, tensor=call)


def write(
    log: tf.Tensor,
    table: tf.Tensor,
    range_coder: RangeCoder,
    symbols_per_integer: int = 1,
) -> tf.Tensor:
    """Writes all symbols of a log.

    Args:
        log: of all calls.
        table: int32, rows of frequencies one after the other; `FIRST_TABLE` first.
        range_coder: writes the streams.
        symbols_per_integer: see `symbol_coding.Rows`.

    Returns:
        Strings, `stream_count` of them.
    """
    pairs, lengths = tf.raw_ops.TensorListConcatV2(
        input_handle=log,
        element_dtype=tf.int32,
        element_shape=[-1, 2],
        leading_dims=tf.zeros([0], tf.int64),
    )
    lengths, count = tf.cast(lengths, tf.int32), tf.shape(pairs)[0]
    streams = stream_count(count // symbols_per_integer)
    fills = -lengths % streams
    fills_before = tf.repeat(tf.cumsum(fills, exclusive=True), lengths)
    places = tf.range(count) + fills_before
    size = count + tf.reduce_sum(fills)
    rows, symbols = (
        _deal(scatter_into_zeros(kind, places, size), streams)
        for kind in tf.unstack(pairs, axis=1)
    )
    return range_coder.write(table, rows, symbols)


class TileStrings(NamedTuple):
    """The streams of a part of one tile; `shared_streams` has those of several.

    Attributes:
        strings: string vector.
    """

    strings: tf.Tensor

    @property
    def counts(self) -> tf.Tensor:
        """Their number, int32 `(1,)`."""
        return tf.shape(self.strings)

    def reader(self, start: Callable[[tf.Tensor], Reader], used: tf.Tensor):
        """A reader of some of the streams.

        Args:
            start: function from strings to a reader of them.
            used: int32 `(1,)`, how many, at least 1. Missing ones are empty.
        """
        strings = tf.concat([self.strings, [""]], axis=0)[: used[0]]
        return SymbolReader(start(strings))


class SymbolReader(NamedTuple):
    """Reads the symbols of one tile, call by call.

    `shared_streams.SharedReader` does the same for several tiles at once.

    Attributes:
        reader: of the streams.
    """

    reader: Reader

    def tiles_of(self, positions: tf.Tensor, size: tf.Tensor) -> None:
        """The tiles of elements, for `get`: there is one."""

    def of_tiles(self, used: tf.Tensor) -> "SymbolReader":
        """The same reader: its only tile is never left out."""
        return self

    def begin(self, are_coded: tf.Tensor) -> tuple:
        """The reader for a pass, and which of its elements it reads: all coded ones."""
        return self, are_coded

    def is_valid(self) -> tf.Tensor:
        """Whether the streams can have the integers so far, bool `(1,)`."""
        return tf.constant([True])

    def get(self, rows: tf.Tensor, tiles: None = None) -> tuple:
        """Reads what `put` wrote with rows int32 `(n,)`: the reader, and n symbols."""
        streams, count = self.reader.streams(), tf.size(rows)
        filled = tf.pad(rows, [[0, -count % streams]])
        reader, symbols = self.reader.read(_deal(filled, streams))
        return SymbolReader(reader), tf.reshape(tf.transpose(symbols), [-1])[:count]

    def get_unsorted(self, rows: tf.Tensor, tiles: None = None) -> tuple:
        """The same where the tiles do not rise."""
        return self.get(rows)

    def get_flags(self) -> tuple:
        """Reads what `put_flag` wrote: the reader, and bool `(1,)`."""
        reader, symbols = self.get(tf.constant([FLAG_ROW]))
        return reader, tf.equal(symbols, 1)


def _deal(x: tf.Tensor, streams: tf.Tensor) -> tf.Tensor:
    """Deals `(k * streams,)` to the streams in turn: `(streams, k)`."""
    return tf.transpose(tf.reshape(x, [-1, streams]))


def put_flag(log: tf.Tensor, flag: tf.Tensor) -> tf.Tensor:
    """Logs a bool scalar, which takes less than 3 bits."""
    return put(log, tf.constant([FLAG_ROW]), tf.cast(flag, tf.int32)[None])


def put_escaped(log: tf.Tensor, integers: tf.Tensor, reach) -> tf.Tensor:
    """Logs the digits of those integers that have no symbol in their row.

    Args:
        log: as above.
        integers: float `(n,)`.
        reach: like these, or a float. The largest magnitude that has a symbol.

    Returns:
        The log.
    """
    beyond = tf.abs(integers) - reach
    far = tf.where(beyond > 0)[:, 0]
    distance = tf.minimum(tf.gather(beyond, far) - 1, _DISTANCE_MAX)
    is_below = tf.cast(tf.gather(integers, far) < 0, tf.int32)
    number = 2 * tf.cast(distance, tf.int32) + is_below
    digits = tf.concat([number // _BASE, number % _BASE], axis=0)
    return put(log, _rows_of_digits(tf.size(far)), digits)


def get_escaped(
    reader: SymbolReader, integers: tf.Tensor, reach: tf.Tensor, tiles
) -> tuple:
    """Reads what `put_escaped` wrote.

    Args:
        reader: as above.
        integers: float `(n,)`; beyond `reach` where the integer had no symbol.
        reach: like these, see `put_escaped`.
        tiles: of the integers, see `SymbolReader.tiles_of`.

    Returns:
        The reader, and the integers.
    """
    far = tf.where(tf.abs(integers) > reach)
    if tiles is not None:
        tiles = tf.tile(tf.gather_nd(tiles, far), [2])
    reader, digits = reader.get_unsorted(_rows_of_digits(tf.shape(far)[0]), tiles)
    high, low = tf.split(digits, 2)
    number = high * _BASE + low
    values = tf.cast(number // 2 + 1, reach.dtype) + tf.gather_nd(reach, far)
    values = tf.where(tf.equal(number % 2, 1), -values, values)
    return reader, tf.tensor_scatter_nd_update(integers, far, values)


def _rows_of_digits(count: tf.Tensor) -> tf.Tensor:
    """Rows of the high digits of `count` integers, then of the low ones."""
    return tf.repeat([_HIGH, _LOW], [count, count])


def scatter_into_zeros(
    values: tf.Tensor, positions: tf.Tensor, size: tf.Tensor
) -> tf.Tensor:
    """A vector `(size,)` with values `(m,)` at some positions, int32 `(m,)`.

    The positions rise, as `tf.where` gives them.
    """
    # A seventh of the time of tf.scatter_nd.
    return tf.raw_ops.SparseToDense(
        sparse_indices=positions,
        output_shape=[size],
        sparse_values=values,
        default_value=tf.zeros([], values.dtype),
        validate_indices=False,
    )
