"""One range coder for all symbols of an image: TensorFlow Compression's.

A coder is made with a fixed table of frequencies. Each symbol comes with the number of
its row in the table. A coder writes several streams in parallel: a vector of symbols is
split into equal parts, one for each stream.

A damaged string causes no error: missing bits are read as zeros, and a checksum detects
it. The library's own escape codes would read missing bits forever, so integers without
a symbol in their row are written here as two digits.
"""

import numpy as np
import tensorflow as tf
import tensorflow_compression as tfc

# Parallel streams cost a few bytes each and code side by side.
LATENTS_PER_STREAM = 1 << 18

PRECISION = 16  # Bits of a cumulative frequency, the most that the library takes.

_BASE = 1 << 12
_FAR_MAX = _BASE**2 // 2 - 1  # 2**23 - 1.

# Every table starts with these rows. As the range coder takes it, a row is the
# precision and then cumulative frequencies, from 0 to 2**16. The first row codes the
# zeros that fill up streams, at almost no cost. The others code integers without a
# symbol: a high digit, nearly always 0, and a low digit, which is d with a probability
# of about 3 / ((d + 3) (d + 4)).
_FILLER, _HIGH, _LOW = range(3)
FIRST_ROWS = 3
_END = 1 << PRECISION
_digits = np.arange(1, _BASE)
FIRST_TABLE = np.concatenate(
    [
        [PRECISION, 0, _END - 1, _END],
        [PRECISION, 0, *(_END - _BASE + _digits), _END],
        [PRECISION, 0, *(_digits + (_END - _BASE) * _digits // (_digits + 3)), _END],
    ]
)


def stream_count(latents: tf.Tensor) -> tf.Tensor:
    """Number of streams of an image with so many latents, int32 scalar."""
    return 1 + latents // LATENTS_PER_STREAM


def packed(table: np.ndarray) -> np.ndarray:
    """A table as models keep it: uint16, the end of a row as a zero."""
    table = table.astype(np.int32)
    ends = np.flatnonzero(table == _END)
    assert np.all(table[ends - 1] > PRECISION), "An end would be taken for a start."
    return table.astype(np.uint16)


def unpacked(table: tf.Tensor) -> tf.Tensor:
    """The inverse of `packed`, int32: a zero after a precision starts a row."""
    table = tf.cast(table, tf.int32)
    is_start = tf.equal(tf.roll(table, 1, 0), PRECISION)
    return tf.where(tf.equal(table, 0) & ~is_start, _END, table)


def encoder(table: tf.Tensor, streams: tf.Tensor) -> tf.Tensor:
    """A range coder that writes.

    Args:
        table: int32, rows one after the other; `FIRST_TABLE` first.
        streams: int32 scalar, how many it writes.
    """
    return tfc.create_range_encoder([streams], table)


def decoder(table: tf.Tensor, strings: tf.Tensor) -> tf.Tensor:
    """A range coder that reads strings `(streams,)`; see `encoder`."""
    return tfc.create_range_decoder(strings, table)


def put(coder: tf.Tensor, rows: tf.Tensor, symbols: tf.Tensor) -> tf.Tensor:
    """Writes symbols int32 `(n,)`, each with the row of that number.

    Returns:
        The coder.
    """
    both = _by_stream(coder, tf.stack([rows, symbols]))
    return tfc.entropy_encode_index(coder, both[0], both[1])


def get(coder: tf.Tensor, rows: tf.Tensor) -> tuple:
    """Reads symbols with rows int32 `(n,)`: the coder, and int32 `(n,)`."""
    mine = _by_stream(coder, rows[None])[0]
    coder, symbols = tfc.entropy_decode_index(coder, mine, tf.shape(mine)[1:], tf.int32)
    return coder, tf.reshape(symbols, [-1])[: tf.size(rows)]


def put_flag(coder: tf.Tensor, flag: tf.Tensor) -> tf.Tensor:
    """Writes a bool scalar, in less than 3 bits."""
    return put(coder, tf.constant([_LOW]), tf.cast(flag, tf.int32)[None])


def get_flag(coder: tf.Tensor) -> tuple:
    """Reads what `put_flag` wrote: the coder, and a bool scalar."""
    coder, symbols = get(coder, tf.constant([_LOW]))
    return coder, tf.equal(symbols[0], 1)


def put_far(coder: tf.Tensor, integers: tf.Tensor, reach) -> tf.Tensor:
    """Writes those integers that have no symbol in their row.

    Args:
        coder: as above.
        integers: float `(n,)`.
        reach: like these, or a float. The largest magnitude that has a symbol.

    Returns:
        The coder.
    """
    beyond = tf.abs(integers) - reach
    far = tf.where(beyond > 0)[:, 0]
    distance = tf.minimum(tf.gather(beyond, far) - 1, _FAR_MAX)
    is_below = tf.cast(tf.gather(integers, far) < 0, tf.int32)
    number = 2 * tf.cast(distance, tf.int32) + is_below
    digits = tf.concat([number // _BASE, number % _BASE], axis=0)
    return put(coder, _rows_of_digits(tf.size(far)), digits)


def get_far(coder: tf.Tensor, integers: tf.Tensor, reach: tf.Tensor) -> tuple:
    """Reads what `put_far` wrote.

    Args:
        coder: as above.
        integers: float `(n,)`; beyond `reach` where the integer had no symbol.
        reach: like these, see `put_far`.

    Returns:
        The coder, and the integers.
    """
    far = tf.where(tf.abs(integers) > reach)
    coder, digits = get(coder, _rows_of_digits(tf.shape(far)[0]))
    high, low = tf.split(digits, 2)
    number = high * _BASE + low
    values = tf.cast(number // 2 + 1, reach.dtype) + tf.gather_nd(reach, far)
    values = tf.where(tf.equal(number % 2, 1), -values, values)
    return coder, tf.tensor_scatter_nd_update(integers, far, values)


def _rows_of_digits(count: tf.Tensor) -> tf.Tensor:
    """Rows of the high digits of `count` integers, then of the low ones."""
    return tf.repeat([_HIGH, _LOW], [count, count])


def finish(coder: tf.Tensor) -> tf.Tensor:
    """Ends the streams; returns strings `(streams,)`."""
    return tfc.entropy_encode_finalize(coder)


def _by_stream(coder: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
    """Splits int32 `(m, n)` by stream, `(m, streams, k)`, filled up with zeros."""
    streams = tf.size(coder)
    fill = -tf.shape(x)[1] % streams
    x = tf.pad(x, [[0, 0], [0, fill]], constant_values=_FILLER)
    return tf.reshape(x, [x.shape[0], streams, -1])
