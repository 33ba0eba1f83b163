"""The bytes of one part of a tile in the graph; see `image_codecs.tile_parts`."""

import tensorflow as tf

from tf_imgcomp.ops.byte_strings import little_endian, varints
from tf_imgcomp.serving.byte_reader import VARINT_SIZE_MAX, ByteReader
from tf_imgcomp.serving.conditions import Conditions

_CHECKSUM_SIZE = 2
HEAD_SIZE_MAX = _CHECKSUM_SIZE + VARINT_SIZE_MAX  # Before the lengths of the streams.


def pack(checksum: tf.Tensor, streams: tf.Tensor) -> tf.Tensor:
    """The bytes of a part, a string scalar.

    Args:
        checksum: int32 scalar.
        streams: strings `(s,)`, at least one.
    """
    lengths = tf.cast(tf.strings.length(streams[:-1]), tf.int64)
    head = [
        little_endian(tf.cast(checksum, tf.int64), _CHECKSUM_SIZE),
        varints(tf.size(lengths, tf.int64)),
    ]
    parts = tf.concat([tf.stack(head), varints(lengths), streams], axis=0)
    return tf.strings.reduce_join(parts)


def unpack(data: tf.Tensor, most: tf.Tensor, conditions: Conditions) -> tuple:
    """The inverse of `pack`: the checksum, int32 scalar, and strings `(s,)`.

    Args:
        data: string scalar.
        most: int32 scalar. More streams are refused before there is memory for them.
        conditions: get what is wrong with the data.
    """
    reader, checksum, count = _head(data, most, conditions)
    return checksum, reader.strings(count)


def stream_count(data: tf.Tensor, most: tf.Tensor) -> tf.Tensor:
    """The number of streams that a part has, int32 scalar; 1 if it is damaged."""
    _, _, count = _head(data, most, Conditions())
    return tf.cast(count, tf.int32)


def _head(data: tf.Tensor, most: tf.Tensor, conditions: Conditions) -> tuple:
    """A reader of what follows, the checksum, and the number of streams, int64."""
    reader = ByteReader(data, conditions)
    checksum = tf.cast(reader.unsigned(_CHECKSUM_SIZE), tf.int32)
    others = reader.varint()
    fits = others < tf.cast(most, tf.int64)
    conditions.require(fits, "invalid: more streams than there can be")
    return reader, checksum, tf.where(fits, others, 0) + 1
