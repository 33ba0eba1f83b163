"""Reads bytes and numbers of a string in the graph, as `bitstream.Reader` does."""

from typing import Optional

import tensorflow as tf

from tf_imgcomp.serving.conditions import Conditions

VARINT_SIZE_MAX = 9  # Bytes.


class ByteReader:
    """Reads a string, never beyond its end.

    A failed condition leaves numbers that are safe to go on with: sizes and positions
    inside of the string.

    Args:
        data: string scalar.
        conditions: get what is wrong with the data.
        within: a reader of the same data, to begin and to end where it does; None: to
            read all of it.

    Attributes:
        position: int64 scalar, of the next byte.
        end: int64 scalar, after the last byte.
    """

    def __init__(
        self,
        data: tf.Tensor,
        conditions: Conditions,
        within: Optional["ByteReader"] = None,
    ):
        self._data, self._conditions = data, conditions
        if within is None:
            self._raw = tf.io.decode_raw(data, tf.uint8)
            self.position = tf.constant(0, tf.int64)
            self.end = tf.size(self._raw, tf.int64)
        else:
            self._raw = within._raw
            self.position, self.end = within.position, within.end

    @property
    def left(self) -> tf.Tensor:
        """Bytes from the position to the end, int64 scalar."""
        return self.end - self.position

    def part(self, size: tf.Tensor) -> "ByteReader":
        """A reader of the next bytes, which this one skips; `size` int64 scalar."""
        part = ByteReader(self._data, self._conditions, self)
        self.skip(size)
        part.end = self.position
        return part

    def at(self, position: tf.Tensor, conditions: Conditions) -> "ByteReader":
        """A reader from another position on, inside of a loop."""
        reader = ByteReader(self._data, conditions, self)
        reader.position = position
        return reader

    def before(self) -> tf.Tensor:
        """All bytes of the data before the position, a string scalar."""
        return tf.strings.substr(
            self._data, tf.zeros_like(self.position), self.position
        )

    def take(self, size) -> tf.Tensor:
        """The next bytes, a string scalar."""
        start = self.position
        self.skip(size)
        return tf.strings.substr(self._data, start, self.position - start)

    def skip(self, size) -> None:
        """Moves on by int64 scalar `size`."""
        size = tf.cast(size, tf.int64)
        fits = (size >= 0) & (size <= self.left)
        self._conditions.require(fits, "cut, or a length beyond the end")
        self.position += tf.where(fits, size, 0)

    def unsigned(self, size: int) -> tf.Tensor:
        """A little-endian number of `size` bytes, int64 scalar."""
        window = tf.cast(self._raw[self.position :][:size], tf.int64)
        self.skip(size)
        shifts = 8 * tf.range(tf.size(window, tf.int64))
        return tf.reduce_sum(tf.bitwise.left_shift(window, shifts))

    def varint(self) -> tf.Tensor:
        """A number of up to 63 bits, int64 scalar."""
        return self.varints(tf.constant(1, tf.int64))[0]

    def varints(self, count: tf.Tensor) -> tf.Tensor:
        """The next `count` numbers, int64 `(count,)`; `count` is at most `left`."""
        start = self.position
        window = self._raw[
            start : tf.minimum(self.end, start + VARINT_SIZE_MAX * count)
        ]
        window = tf.cast(window, tf.int64)
        ends = tf.where(window < 128)[:, 0][:count]
        self._conditions.require(tf.size(ends, tf.int64) == count, "cut: a number")
        ends = tf.pad(ends, [[0, count - tf.size(ends, tf.int64)]])
        window = tf.concat([window, [0]], axis=0)  # There may be no byte at all.
        starts = tf.concat([[0], ends + 1], axis=0)[:count]
        lengths = ends - starts + 1
        are_short = (lengths == 1) | (tf.gather(window, ends) > 0)
        is_valid = tf.reduce_all(are_short & (lengths <= VARINT_SIZE_MAX))
        self._conditions.require(is_valid, "invalid: a number that is too long")
        read = tf.cast(self._conditions.hold, tf.int64)
        self.position += read * (tf.reduce_max(tf.concat([ends, [-1]], axis=0)) + 1)
        return read * _numbers(window, starts, lengths)

    def strings(self, count: tf.Tensor) -> tf.Tensor:
        """All that is left: lengths of all strings but the last one, then the strings.

        Args:
            count: int64 scalar of at least 1.

        Returns:
            Strings `(count,)`.
        """
        others = count - 1
        fits = others <= self.left
        self._conditions.require(fits, "invalid: more lengths than bytes")
        lengths = self.varints(tf.where(fits, others, 0))
        # Each is clipped first: a sum of any numbers may overflow.
        total = tf.reduce_sum(tf.minimum(lengths, self.left + 1))
        self._conditions.require(total <= self.left, "cut: lengths beyond the end")
        hold = tf.cast(self._conditions.hold, tf.int64)
        lengths = tf.concat([lengths, [self.left - total]], axis=0) * hold
        starts = self.position + tf.cumsum(lengths, exclusive=True)
        return tf.strings.substr(self._data, starts, lengths)


def _numbers(window, starts, lengths) -> tf.Tensor:
    """The values of varints in a window of bytes, int64 `(n,)`."""
    digits = tf.range(VARINT_SIZE_MAX, dtype=tf.int64)
    places = tf.minimum(starts[:, None] + digits, tf.size(window, tf.int64) - 1)
    values = tf.bitwise.left_shift(tf.gather(window, places) & 127, 7 * digits)
    return tf.reduce_sum(tf.where(digits < lengths[:, None], values, 0), axis=1)
