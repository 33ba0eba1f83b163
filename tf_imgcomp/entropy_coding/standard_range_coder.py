"""The range coder in operations that TensorFlow itself registers, bit for bit the same.

A stock TensorFlow Serving has no operations of tensorflow-compression. There this
module takes the place of `range_coder`. A step of the loop codes one symbol of every
stream; what does not depend on the symbol before is computed for all symbols at once.

A coder holds an interval of a number that the stream writes in words of 16 bits: its
base and its size, at most 2**32. A symbol narrows it; a size of at most 2**16 makes
the next word certain but for a carry, and is multiplied by 2**16 (Schindler, "Range
coding for lossless data compression", 1998). All products stay below 2**48, so that
float64, which a CPU divides faster than int64, is exact.
"""

from typing import NamedTuple

import tensorflow as tf

from tf_imgcomp.entropy_coding.range_coder import END, PRECISION
from tf_imgcomp.entropy_coding.symbol_streams import scatter_into_zeros
from tf_imgcomp.ops.byte_strings import NO_BYTE, join_bytes

_WORD = 1 << 16
_FULL = 1 << 32  # The largest size.
STILL = -1  # In place of a row: the stream is not read.
_STEPS_OF_TURN = 8  # A turn of the loop costs as much as some operations.
# Added to an offset, in words, so that its quotient is the target of the file format,
# which adds 65535 to an offset in units of 1 / 65536 word.
_ALMOST_ONE = 1 - 1 / _WORD


class _Symbols(NamedTuple):
    """All symbols of all rows, one after the other.

    After the rows of the table comes one for `STILL`, of one symbol that takes the
    whole interval. It changes nothing, except if the size is 2**16: then
    the next word is read early. Later symbols are the same, because `size * bounds` is
    an integer in both cases.

    Attributes:
        keys: float64 `(1, n)`. 2**16 times the row, plus where the symbol begins in it.
        bounds: float64 `(2, n)`, where a symbol begins and ends, 0 to 1.
        bounds_by_end: float64 `(2, n + 1)`. `bounds` times 2**16, by a symbol's
            number plus one. Column 0 is not used.
        first: int32 `(rows,)`, the number of the first symbol of each row.
    """

    keys: tf.Tensor
    bounds: tf.Tensor
    bounds_by_end: tf.Tensor
    first: tf.Tensor

    def numbers(self, rows: tf.Tensor, symbols: tf.Tensor) -> tf.Tensor:
        """Numbers of symbols among all, like their rows."""
        return tf.gather(self.first, rows) + symbols


def _symbols(table: tf.Tensor) -> _Symbols:
    """Those of a table as `range_coder` takes it: 16, 0, .., 2**16 for each row."""
    table = tf.concat([table, [PRECISION, 0, END]], axis=0)
    is_end = tf.equal(table, END)
    is_precision = tf.concat([[True], is_end[:-1]], axis=0)
    row = tf.cumsum(_int(is_precision)) - 1
    places = tf.where(~is_precision & ~is_end)[:, 0]
    starts, ends = tf.gather(table, places), tf.gather(table, places + 1)
    first = _int(tf.where(tf.equal(starts, 0))[:, 0])
    keys = _float(tf.gather(row, places)) * _WORD + _float(starts)
    bounds = _float(tf.stack([starts, ends]))
    by_end = tf.pad(bounds, [[0, 0], [1, 0]])
    return _Symbols(keys[None], bounds / _WORD, by_end, first)


def _float(x: tf.Tensor) -> tf.Tensor:
    return tf.cast(x, tf.float64)


def _int(x: tf.Tensor) -> tf.Tensor:
    return tf.cast(x, tf.int32)


def _narrowed(size: tf.Tensor, bounds: tf.Tensor) -> tuple:
    """Where a symbol begins in an interval, its size, and whether that is small."""
    low, high = tf.unstack(tf.floor(size * bounds))
    size = high - low
    return low, size, size <= _WORD


def _select(condition: tf.Tensor, x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """`tf.where` of equal shapes, in a third of its time."""
    return tf.raw_ops.Select(condition=condition, x=x, y=y)


def write(table: tf.Tensor, rows: tf.Tensor, symbols: tf.Tensor) -> tf.Tensor:
    """Writes a stream for each row of a matrix of symbols; see `range_coder.write`."""
    known = _symbols(table)
    numbers = tf.transpose(known.numbers(rows, symbols))  # (k, streams)
    bounds = tf.gather(known.bounds, numbers, axis=1)
    sizes, last = _sizes(bounds)
    low, _, is_small = _narrowed(sizes, bounds)
    shifts = tf.cumsum(_int(is_small), axis=0)
    count = tf.reduce_sum(_int(is_small), axis=0)
    words = _sum_words(low, shifts - _int(is_small), count)
    return _strings(_with_carries(words), count, tf.cast(last, tf.int64))


def _sizes(bounds: tf.Tensor) -> tuple:
    """The sizes before each symbol `(k, streams)`, and after the last `(streams,)`."""
    _, steps, streams = tf.unstack(tf.shape(bounds))

    def step(number, size, sizes):
        sizes = sizes.write(number + 1, size)
        _, size, is_small = _narrowed(size, bounds[:, number])
        return number + 1, tf.where(is_small, size * _WORD, size), sizes

    whole = tf.fill([streams], tf.constant(_FULL, tf.float64))
    _, last, sizes = tf.while_loop(
        lambda number, *_: number < steps,
        step,
        (0, whole, _list_after(tf.zeros_like(whole), steps)),
        parallel_iterations=1,
    )
    return sizes.stack()[1:], last


def _list_after(x: tf.Tensor, steps: tf.Tensor) -> tf.TensorArray:
    """A list with room for more; one that may be empty could not be stacked."""
    room = tf.TensorArray(x.dtype, steps + 1, element_shape=[None])
    return room.write(0, x)


def _sum_words(low: tf.Tensor, shifts: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
    """The base of each stream in words, before carries: int64 `(streams, m)`.

    Args:
        low: float64 `(k, streams)`. What each symbol adds, below 2**32: to word
            `shifts`, and its low half to the word after it.
        shifts: int32 `(k, streams)`.
        count: int32 `(streams,)`. All shifts of a stream; m is at least two more.
    """
    streams, length = tf.size(count), tf.reduce_max(count) + 2
    places = shifts + length * tf.range(streams)
    sums = tf.math.unsorted_segment_sum(
        tf.reshape(tf.cast(low, tf.int64), [-1]),
        tf.reshape(places, [-1]),
        streams * length,
    )
    sums = tf.reshape(sums, [streams, length])  # Below 2**32: within the interval.
    return sums // _WORD + tf.pad(sums[:, :-1] % _WORD, [[0, 0], [1, 0]])


def _with_carries(words: tf.Tensor) -> tf.Tensor:
    """Carries what is above 16 bits to the word before: int64 `(streams, m)`.

    A word of 65535 passes a carry on. So a word receives a carry if the first
    later word other than 65535 is 2**16 or more. It receives at most one, because words
    are below 2**17 - 1.
    """
    streams, length = tf.unstack(tf.shape(words))
    flat = tf.reshape(tf.pad(words, [[0, 0], [0, 1]]), [-1])  # The end has no carry.
    stops = tf.where(tf.not_equal(flat, _WORD - 1))[:, 0]
    place = tf.range(streams)[:, None] * (length + 1) + tf.range(length)
    after = tf.cast(tf.reshape(place, [-1]), tf.int64) + 1
    stop = tf.gather(stops, tf.searchsorted(stops, after))
    carry = tf.cast(tf.gather(flat, stop) >= _WORD, tf.int64)
    return (words + tf.reshape(carry, [streams, length])) % _WORD


def _strings(words: tf.Tensor, count: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """The shortest strings inside the last intervals; zeros at an end are left out.

    Args:
        words: int64 `(streams, m)`, without carries.
        count: int32 `(streams,)`. How many are certain; two more are the base.
        size: int64 `(streams,)`, of the last interval.
    """
    certain = tf.sequence_mask(count, tf.shape(words)[1])
    base = tf.gather(words, count, batch_dims=1) * _WORD
    base += tf.gather(words, count + 1, batch_dims=1)
    top = base + size - 1
    # If the interval holds the certain words plus one, these are the string.
    is_above = top >= _FULL
    is_last = tf.one_hot(count - 1, tf.shape(words)[1], dtype=tf.int64)
    above = tf.cast(is_above, tf.int64)[:, None]
    words = _with_carries(tf.where(certain, words, 0) + above * is_last)
    digits = tf.stack([words // 256, words % 256], axis=-1)
    digits = _int(tf.reshape(digits, [tf.size(count), -1]))
    length = tf.where(
        is_above, tf.minimum(_without_zeros(digits), 2 * count), 2 * count
    )
    digits = tf.where(tf.sequence_mask(length, tf.shape(digits)[1]), digits, NO_BYTE)
    ends = tf.where((is_above | tf.equal(base, 0))[:, None], NO_BYTE, _ends(base, top))
    return join_bytes(tf.concat([digits, ends], axis=1))


def _without_zeros(digits: tf.Tensor) -> tf.Tensor:
    """Lengths of rows of digits without the zeros at their ends, int32."""
    places = tf.range(1, tf.shape(digits)[1] + 1)
    return tf.reduce_max(tf.where(digits > 0, places, 0), axis=1)


def _ends(base: tf.Tensor, top: tf.Tensor) -> tf.Tensor:
    """One byte, or two, of a number from base to top: int32 `(streams, 2)`."""
    byte, word = -(-base // 2**24), -(-base // _WORD)
    is_enough = byte * 2**24 <= top
    low = tf.where(is_enough | tf.equal(word % 256, 0), NO_BYTE, _int(word % 256))
    return tf.stack([tf.where(is_enough, _int(byte), _int(word // 256)), low], axis=1)


class StandardReader(NamedTuple):
    """See `range_coder.Reader`.

    Attributes:
        offset: float64 `(1, streams)`. From the base to the number of the stream, plus
            `_ALMOST_ONE`.
        size: float64 `(1, streams)`, of the interval, in words.
        place: int32 `(1, streams)`, of the next word.
        last: int32 `(1, streams)`, of a word after the end. It is zero, and so are as
            many words after it as a turn of the loop can read.
        words: float64 `(m,)`, those of all streams; see `reader`.
        symbols: those of the table.
    """

    offset: tf.Tensor
    size: tf.Tensor
    place: tf.Tensor
    last: tf.Tensor
    words: tf.Tensor
    symbols: _Symbols

    def streams(self) -> tf.Tensor:
        return tf.size(self.offset)

    def read(self, rows: tf.Tensor) -> tuple:
        """See `range_coder.Reader`. A row may be `STILL`; its symbol is 0."""
        rows = tf.transpose(rows)  # (k, streams)
        last = tf.size(self.symbols.first) - 1
        rows = tf.where(tf.equal(rows, STILL), last, rows)
        steps = tf.shape(rows)[0]
        in_turns = steps - steps % _STEPS_OF_TURN
        reader, most = self._turns(rows[:in_turns], _STEPS_OF_TURN)
        reader, others = reader._turns(rows[in_turns:], 1)
        ends = tf.concat([most, others], axis=0)
        symbols = ends - 1 - tf.gather(self.symbols.first, rows)
        return reader, tf.transpose(symbols)

    def _turns(self, rows: tf.Tensor, steps: int) -> tuple:
        """Reads symbols in a loop.

        Args:
            rows: int32 `(k, streams)`.
            steps: of a turn; it divides k.

        Returns:
            The reader, and one more than the numbers of the symbols, int32
            `(k, streams)`.
        """
        shape = tf.stack([steps, 1, self.streams()])
        keys = tf.reshape(_float(rows) * _WORD, tf.concat([[-1], shape], axis=0))
        turns = tf.shape(keys)[0]
        # Unlike a tf.TensorArray, it can be stacked when it is empty.
        room = tf.raw_ops.TensorListReserve(
            element_shape=shape, num_elements=turns, element_dtype=tf.int32
        )

        def turn(number, ends, *state):
            found = []
            for key in tf.unstack(tf.gather(keys, number), steps):
                state, end = self._step(key, *state)
                found.append(end)
            offset, size, place = state
            ends = tf.raw_ops.TensorListSetItem(
                input_handle=ends, index=number, item=tf.stack(found)
            )
            return number + 1, ends, offset, size, tf.minimum(place, self.last)

        _, ends, offset, size, place = tf.while_loop(
            lambda number, *_: number < turns,
            turn,
            (0, room, self.offset, self.size, self.place),
            parallel_iterations=1,
        )
        ends = tf.raw_ops.TensorListStack(
            input_handle=ends, element_shape=shape, element_dtype=tf.int32
        )
        moved = self._replace(offset=offset, size=size, place=place)
        return moved, tf.reshape(ends, [-1, self.streams()])

    def _step(self, key, offset, size, place) -> tuple:
        """The state after a symbol, and one more than its number."""
        # The last symbol that begins at or before the target: each row begins at 0.
        # tf.searchsorted reshapes its arguments at each step.
        end = tf.raw_ops.UpperBound(
            sorted_inputs=self.symbols.keys, values=key + tf.floor(offset / size)
        )
        bounds = tf.gather(self.symbols.bounds_by_end, end, axis=1)
        low, high = tf.unstack(tf.floor(size * bounds))
        offset, size = offset - low, high - low
        is_small = size <= _WORD
        word = tf.gather(self.words, place)
        offset = _select(is_small, offset * _WORD + word, offset)
        size = _select(is_small, size, size / _WORD)
        return (offset, size, place + _int(is_small)), end


def reader(table: tf.Tensor, strings: tf.Tensor) -> StandardReader:
    """Starts to read strings `(streams,)`; see `range_coder.reader`."""
    sizes = tf.strings.length(strings)
    lengths = (sizes + 1) // 2 + 3 + _STEPS_OF_TURN  # In words, with zeros at the end.
    starts = tf.cumsum(lengths, exclusive=True)
    raw = tf.io.decode_raw(tf.strings.reduce_join(strings), tf.uint8)
    ends, places = tf.cumsum(sizes), tf.range(tf.size(raw))
    # tf.repeat would make a matrix, as wide as the longest stream.
    stream = tf.searchsorted(ends, places, side="right")
    places += tf.gather(2 * starts - (ends - sizes), stream)
    raw = scatter_into_zeros(tf.cast(raw, tf.int32), places, 2 * tf.reduce_sum(lengths))
    high, low = tf.unstack(tf.reshape(raw, [-1, 2]), axis=1)
    words = _float(high * 256 + low)
    offset = tf.gather(words, starts) * _WORD + tf.gather(words, starts + 1)
    return StandardReader(
        offset[None] + _ALMOST_ONE,
        tf.fill([1, tf.size(strings)], tf.constant(_WORD, tf.float64)),
        place=starts[None] + 2,
        last=(starts + lengths)[None] - 1 - _STEPS_OF_TURN,
        # What an offset gets with a word: it keeps `_ALMOST_ONE`.
        words=words + _ALMOST_ONE * (1 - _WORD),
        symbols=_symbols(table),
    )
