"""Reads and writes whole `.tfci` files in the graph; see `bitstream`."""

from typing import NamedTuple

import tensorflow as tf

from tf_imgcomp import bitstream
from tf_imgcomp.bitstream import ALPHA, BLOCKS, GREY, MAX_SIDE, REST, TAG, VARIANT
from tf_imgcomp.image_codecs.tiles import STRIDE
from tf_imgcomp.ops.byte_strings import little_endian, varints
from tf_imgcomp.regions import TILE_STEP
from tf_imgcomp.serving.byte_reader import ByteReader
from tf_imgcomp.serving.conditions import Conditions
from tf_imgcomp.serving.crc32 import crc32

_CRC_SIZE = 4
_BLOCKS_MAX = 64  # Metadata blocks are skipped one by one.


class Format(NamedTuple):
    """The facts that all files of a model share.

    Attributes:
        codec: str, the model's id.
        fingerprint: int64 scalar.
        tile: int, side of a tile in pixels.
        pixels_max: int. Larger images are refused.
    """

    codec: str
    fingerprint: tf.Tensor
    tile: int
    pixels_max: int


class FileContent(NamedTuple):
    """The content of a file in colour or grey, opaque, without metadata.

    Attributes:
        size: int32 `(2,)`, height and width in pixels.
        quality: int64 scalar, in hundredths.
        grey: bool scalar.
        first, rest: strings `(n,)`, the bytes of each tile in both parts.
    """

    size: tf.Tensor
    quality: tf.Tensor
    grey: tf.Tensor
    first: tf.Tensor
    rest: tf.Tensor


def pack(content: FileContent, format_: Format) -> tf.Tensor:
    """Returns the bytes of a file, a string scalar."""
    flags = REST + GREY * tf.cast(content.grey, tf.int64)
    side = tf.constant(format_.tile // TILE_STEP, tf.int64)
    width, height = (tf.cast(content.size[axis], tf.int64) for axis in (1, 0))
    first, rest = _with_index(content.first), _with_index(content.rest)
    start = tf.strings.join(
        [
            *(little_endian(flags, 1), little_endian(side, 1)),
            *(little_endian(content.quality, 2), little_endian(format_.fingerprint, 2)),
            *(varints(width), varints(height), varints(_length(first)), first),
        ]
    )
    size = _length(start) + _length(rest) + 2 * _CRC_SIZE
    prefix = bitstream.codec_field(format_.codec) + bytes([TAG])
    data = _with_crc(tf.strings.join([prefix, varints(size), start]))
    return _with_crc(tf.strings.join([data, rest]))


def _with_crc(data: tf.Tensor) -> tf.Tensor:
    return tf.strings.join([data, little_endian(crc32(data), _CRC_SIZE)])


def _with_index(tiles: tf.Tensor) -> tf.Tensor:
    lengths = varints(_length(tiles[:-1]))
    return tf.strings.reduce_join(tf.concat([lengths, tiles], axis=0))


def _length(string: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.strings.length(string), tf.int64)


def unpack(data: tf.Tensor, format_: Format, conditions: Conditions) -> FileContent:
    """Reads the bytes of a file; the inverse of `pack`.

    Metadata is skipped. Files with transparency or a variant are refused.

    Args:
        data: string scalar.
        format_: of the model.
        conditions: get what is wrong with the file. If they do not hold, the content is
            of no use.
    """
    reader = ByteReader(data, conditions)
    _read_prefix(reader, format_.codec, conditions)
    size = reader.varint()
    conditions.require(size <= reader.left, "cut: bytes are missing at its end")
    conditions.require(size >= reader.left, "extended: bytes follow its end")
    flags, side = reader.unsigned(1), reader.unsigned(1)
    quality, fingerprint = reader.unsigned(2), reader.unsigned(2)
    width, height = reader.varint(), reader.varint()
    _check_header(flags, quality, width, height, conditions)
    _check_model(format_, fingerprint, side * TILE_STEP, conditions)
    conditions.require_size(tf.stack([height, width]), format_.pixels_max, STRIDE)
    _check_features(flags, conditions)
    _skip_blocks(reader, tf.not_equal(flags & BLOCKS, 0), conditions)
    image = tf.cast(tf.where(conditions.hold, [height, width], 1), tf.int32)
    count = tf.reduce_prod(-(-image // format_.tile))
    return FileContent(
        image,
        quality,
        tf.not_equal(flags & GREY, 0),
        *_read_parts(reader, tf.cast(count, tf.int64), conditions),
    )


def _read_prefix(reader: ByteReader, codec: str, conditions: Conditions) -> None:
    field = bitstream.codec_field(codec)
    conditions.require(reader.left > 0, "the file is empty")
    found = reader.take(tf.minimum(reader.left, len(field)))
    conditions.require(
        tf.equal(found, field), f"not a .tfci file of model {codec!r}, or damaged"
    )
    tag = reader.unsigned(1)
    conditions.require(
        tf.equal(tag, TAG), f"another format version than {bitstream.VERSION}"
    )


def _check_header(flags, quality, width, height, conditions: Conditions) -> None:
    conditions.require(flags < 2 * REST, "invalid: unknown flags")
    is_quality = (quality >= 100) & (quality <= 10000)
    conditions.require(is_quality, "invalid: a quality that is not in [1, 100]")
    sides = tf.stack([width, height])
    are_sides = tf.reduce_all((sides >= 1) & (sides <= MAX_SIDE))
    conditions.require(are_sides, f"invalid: sides that are not in [1, {MAX_SIDE}]")


def _check_model(format_: Format, fingerprint, tile, conditions: Conditions) -> None:
    conditions.require(
        tf.equal(fingerprint, format_.fingerprint),
        f"needs model {format_.codec!r} with another fingerprint",
    )
    conditions.require(
        tf.equal(tile, format_.tile), f"expected tiles of {format_.tile} pixels"
    )


def _check_features(flags, conditions: Conditions) -> None:
    conditions.require(
        tf.equal(flags & ALPHA, 0), "has transparency, which needs a client to decode"
    )
    conditions.require(tf.equal(flags & VARIANT, 0), "expected variant 0")
    conditions.require(
        tf.not_equal(flags & REST, 0), "the second part is missing in the file"
    )


def _skip_blocks(reader: ByteReader, are_there, conditions: Conditions) -> None:
    """Skips metadata blocks, if there are any."""
    start = reader.position
    are_there &= conditions.hold

    def skip():
        inner = Conditions()
        from_here = reader.at(start, inner)
        count = from_here.varint()
        fits = (count >= 1) & (count <= _BLOCKS_MAX)
        inner.require(fits, f"expected 1 to {_BLOCKS_MAX} blocks of metadata")
        _, _, position, error = tf.while_loop(
            lambda left, kind, position, error: (left > 0) & tf.equal(error, ""),
            lambda left, kind, position, error: (
                left - 1,
                *_skip_block(reader, kind, position),
            ),
            (tf.where(fits, count, 0), count * 0, from_here.position, inner.error),
        )
        return position, error

    position, error = tf.cond(are_there, skip, lambda: (start, tf.constant("")))
    reader.position = position
    conditions.require_none(error[None])


def _skip_block(reader: ByteReader, last_kind, position) -> tuple:
    """Its kind, the position after it, and an error or ""."""
    conditions = Conditions()
    reader = reader.at(position, conditions)
    kind, size = reader.varint(), reader.varint()
    conditions.require(kind > last_kind, "invalid: kinds of blocks do not rise")
    conditions.require(size > 0, "invalid: an empty block")
    reader.skip(size)
    return kind, reader.position, conditions.error


def _read_parts(reader: ByteReader, count, conditions: Conditions) -> tuple:
    """The tiles of both parts, after their checks."""
    first = reader.part(reader.varint())
    _check_crc(reader, conditions)
    is_enough = reader.left >= _CRC_SIZE
    conditions.require(is_enough, "invalid: the lengths contradict each other")
    rest = reader.part(tf.maximum(reader.left - _CRC_SIZE, 0))
    _check_crc(reader, conditions)
    return first.strings(count), rest.strings(count)


def _check_crc(reader: ByteReader, conditions: Conditions) -> None:
    expected = crc32(reader.before())
    conditions.require(
        tf.equal(reader.unsigned(_CRC_SIZE), expected),
        "damaged: the checksum does not match",
    )
