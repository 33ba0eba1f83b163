"""CRC-32 in the graph, without a loop over bytes."""

import numpy as np
import tensorflow as tf

_POLYNOMIAL = 0xEDB88320  # That of zlib and PNG, the lowest bit first.
_LEVELS = 28  # For up to 2**28 words: 1 GiB.


def crc32(data: tf.Tensor) -> tf.Tensor:
    """CRC-32 of a string.

    The register after a word is linear in the register before it XOR the word, over the
    field of two elements. So two neighbouring words become one: the first one, moved on
    by the length of the second, XOR the second. A step halves all words. Zeros before
    the data change nothing.

    Args:
        data: string scalar of at least 4 bytes.

    Returns:
        int64 scalar, as `zlib.crc32` returns it.
    """
    raw = tf.cast(tf.io.decode_raw(data, tf.uint8), tf.int64)
    raw = tf.concat([255 - raw[:4], raw[4:]], axis=0)  # The register begins as ones.
    raw = tf.pad(raw, [[-tf.size(raw) % 4, 0]])
    weights = tf.constant([1, 1 << 8, 1 << 16, 1 << 24], tf.int64)
    words = tf.reduce_sum(tf.reshape(raw, [-1, 4]) * weights, axis=1)
    tables = tf.constant(_tables())

    def halve(level, words):
        words = tf.pad(words, [[-tf.size(words) % 2, 0]])
        first, second = words[::2], words[1::2]
        moved = _moved(tables[level], first)
        return level + 1, tf.bitwise.bitwise_xor(moved, second)

    _, words = tf.while_loop(
        lambda _, words: tf.size(words) > 1,
        halve,
        (0, words),
        shape_invariants=(tf.TensorShape([]), tf.TensorShape([None])),
    )
    return 0xFFFFFFFF - tf.reduce_sum(_moved(tables[0], words))  # One word.


def _moved(table: tf.Tensor, words: tf.Tensor) -> tf.Tensor:
    """Words int64 `(n,)`, moved on by a number of bytes: table int64 `(4, 256)`."""
    parts = [
        tf.gather(table[byte], tf.bitwise.right_shift(words, 8 * byte) & 255)
        for byte in range(4)
    ]
    low, high = (tf.bitwise.bitwise_xor(*pair) for pair in (parts[:2], parts[2:]))
    return tf.bitwise.bitwise_xor(low, high)


def _tables() -> np.ndarray:
    """Images of each byte of a word 4, 8, 16, .. bytes later, `(levels, 4, 256)`."""
    columns = 1 << np.arange(32, dtype=np.int64)  # The image of each bit.
    for _ in range(32):  # By one bit each.
        columns = (columns >> 1) ^ (columns & 1) * _POLYNOMIAL
    tables = []
    for _ in range(_LEVELS):
        tables.append(_by_byte(columns))
        columns = _apply(tables[-1], columns)
    return np.stack(tables)


def _by_byte(columns: np.ndarray) -> np.ndarray:
    """Images of the values of each of four bytes, from those of 32 bits."""
    bits = np.arange(256)[:, None] >> np.arange(8) & 1
    terms = bits * columns.reshape(4, 1, 8)
    return np.bitwise_xor.reduce(terms, axis=-1)


def _apply(table: np.ndarray, words: np.ndarray) -> np.ndarray:
    digits = words >> 8 * np.arange(4)[:, None] & 255
    return np.bitwise_xor.reduce(np.take_along_axis(table, digits, axis=1), axis=0)
