"""Strings from numbers: TensorFlow has no operation that encodes raw bytes."""

import tensorflow as tf

NO_BYTE = 256
_BYTES = tuple(bytes([byte]) for byte in range(256)) + (b"",)
_DIGITS = 9  # Of seven bits each: the most that a varint has.


def join_bytes(values: tf.Tensor) -> tf.Tensor:
    """Strings of the bytes along the last axis.

    Args:
        values: int32 `(..., n)`, 0 to 255, or `NO_BYTE` for nothing.

    Returns:
        Strings `(...)`.
    """
    return tf.strings.reduce_join(tf.gather(tf.constant(_BYTES), values), axis=-1)


def little_endian(values: tf.Tensor, size: int) -> tf.Tensor:
    """Strings `(...)` of `size` bytes from int64 `(...)`, the lowest byte first."""
    shifts = 8 * tf.range(size, dtype=tf.int64)
    digits = tf.bitwise.right_shift(values[..., None], shifts) % 256
    return join_bytes(tf.cast(digits, tf.int32))


def varints(values: tf.Tensor) -> tf.Tensor:
    """Strings `(...)` of int64 `(...)` from 0 on, as `bitstream.varint` writes them."""
    shifts = 7 * tf.range(_DIGITS, dtype=tf.int64)
    rests = tf.bitwise.right_shift(values[..., None], shifts)
    has_more = tf.cast(rests >= 128, tf.int64)
    digits = tf.cast(rests % 128 + 128 * has_more, tf.int32)
    is_written = (rests > 0) | tf.equal(shifts, 0)
    return join_bytes(tf.where(is_written, digits, NO_BYTE))
