"""Packs and unpacks the bytes of `.tfci` files.

A file is a protocol buffer that `tfc.PackedTensors` opens. Its `model` is the codec's
id; one more field carries everything else: a header, then the first part of all tiles,
then the second part of all tiles. `docs/file_format.md` documents every byte.

Reading is strict: every file has exactly one form, every number is checked before
memory is allocated from it, and a CRC-32 at the end of each part covers all bytes
before it. A file with flipped, missing or additional bytes is refused.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Any, NamedTuple

from tf_imgcomp import model_folder
from tf_imgcomp.errors import BitstreamError
from tf_imgcomp.regions import TILE_STEP, Region, tile_count

VERSION = 1

ICC, EXIF, XMP, RESOLUTION, TEXT = 1, 2, 3, 4, 5  # Kinds of metadata blocks.

MAX_SIDE = 2**32 - 1
# A version lives in the field number: 14 is version 1, 13 will be version 2.
TAG = 14 << 3 | 2
_OLDER_TAG = 15 << 3 | 2
_NEWER_TAGS = {(15 - version) << 3 | 2: version for version in range(2, 14)}
GREY, ALPHA, VARIANT, BLOCKS, REST = 1, 2, 4, 8, 16
_FIXED = struct.Struct("<BBHH")  # Flags, tile side, quality, fingerprint.
_CRC = struct.Struct("<I")


@dataclass(frozen=True)
class TfciFile:
    """The fields of a `.tfci` file. Sequences of tiles are in the order of text.

    Attributes:
        codec: Id of the model that decodes the file: 1 to 64 lower-case letters,
            digits, `_`, `.`, `+` and `-`, the first a letter or a digit.
        fingerprint: int in [0, 65535], of the model's weights.
        height: int >= 1, in pixels.
        width: int >= 1, in pixels.
        quality: float in [1, 100], a multiple of 0.01.
        tile: Side of a tile in pixels, a multiple of 64 up to 16320; 0: the image is
            one tile.
        first: Bytes of each tile in the first part.
        rest: Bytes of each tile in the second part. None if the codec writes one part
            only, or if only the first part was read.
        variant: int in [0, 255] that tells the codec how to decode.
        grey: Whether the image is grey.
        alpha: Coded transparency (`files.transparency.encode`) of each tile, b""
            for an opaque one. None if all are opaque.
        blocks: Metadata: kinds (`ICC`, `EXIF` or others), rising, and their data
            (`files.metadata_blocks`).
    """

    codec: str
    fingerprint: int
    height: int
    width: int
    quality: float
    tile: int
    first: tuple[bytes, ...]
    rest: tuple[bytes, ...] | None = None
    variant: int = 0
    grey: bool = False
    alpha: tuple[bytes, ...] | None = None
    blocks: tuple[tuple[int, bytes], ...] = ()

    def decoded_size(self, region: Region | None = None) -> tuple[int, int]:
        """Height and width of what is decoded for a region; None: for all.

        A file without tiles is decoded whole for any region.
        """
        if region is None or not self.tile:
            return self.height, self.width
        return region.height, region.width


def pack(file: TfciFile) -> bytes:
    """Returns the bytes of a file.

    Raises:
        ValueError: If a field is outside of the range that `TfciFile` states.
    """
    _check(file)
    first, *rest = (b"".join((_index(tiles), *tiles)) for tiles in _parts(file))
    parts = [_header(file) + _string(first), *rest]
    size = sum(len(part) + _CRC.size for part in parts)
    data = codec_field(file.codec) + bytes([TAG]) + varint(size)
    for part in parts:
        data += part
        data += _CRC.pack(zlib.crc32(data))
    return data


def unpack(data: bytes, first_part: bool = False) -> TfciFile:
    """Reads the bytes of a file; the inverse of `pack`.

    Args:
        data: The file.
        first_part: Whether to read the first part only, for a preview. Bytes after it
            may be missing and are not read.

    Raises:
        BitstreamError: If `data` is not what `pack` returned for some file, or with
            `first_part` not its beginning.
    """
    reader = Reader(data)
    header = _read_header(reader)
    missing = header.size - len(data)
    if missing < 0:
        raise BitstreamError(f"extended: {-missing} bytes follow its end")
    if missing and not first_part:
        raise BitstreamError(_cut_message(data, missing))
    fields, has_rest = header.fields, header.flags & REST
    count = tile_count(fields["height"], fields["width"], fields["tile"])
    first = _read_part(reader, reader.varint(), count)
    follow = header.size - reader.position
    if not (follow >= _CRC.size if has_rest else follow == 0):
        raise BitstreamError("invalid: the lengths contradict each other")
    if header.flags & ALPHA:
        fields["alpha"], first = _split_alpha(first)
    if has_rest and not first_part:
        fields["rest"] = _read_part(reader, reader.left - _CRC.size, count)
    file = TfciFile(**fields, first=first)
    try:
        _check(file)
    except ValueError as error:
        raise BitstreamError(f"invalid: {error}") from None
    return file


def salvage(data: bytes) -> tuple[TfciFile, BitstreamError | None]:
    """Reads a file, or only its first part if the second one is damaged.

    Returns:
        The file, and None or the error in its second part.

    Raises:
        BitstreamError: If not even the first part is intact.
    """
    try:
        return unpack(data), None
    except BitstreamError as error:
        return unpack(data, first_part=True), error


def is_start(data: bytes) -> bool:
    """Whether a file may begin with these bytes, 9 or more; no codec's id is read."""
    return data[:1] == data[2:3] == b"\x0a" and data[4:9] == b"\x0a\x02MD\x12"


def first_part_size(data: bytes) -> int:
    """Number of bytes, from the beginning of a file, that end with its first part.

    Args:
        data: The file, or its beginning with the whole header. No CRC is checked.

    Raises:
        BitstreamError: If the header is damaged or cut.
    """
    reader = Reader(data)
    _read_header(reader)
    size = reader.varint() + _CRC.size
    return reader.position + size


def index_sizes(file: TfciFile) -> list[int]:
    """Bytes of the index of each part."""
    return [len(_index(tiles)) for tiles in _parts(file)]


def _check(file: TfciFile) -> None:
    model_folder.check_id(file.codec)
    for name, limit in (("fingerprint", 2**16), ("variant", 2**8)):
        if not 0 <= getattr(file, name) < limit:
            raise ValueError(
                f"Expected {name} in [0, {limit - 1}], received {getattr(file, name)}."
            )
    if not (1 <= file.height <= MAX_SIDE and 1 <= file.width <= MAX_SIDE):
        raise ValueError(
            f"Expected sides of 1 to {MAX_SIDE} pixels, received {file.width} x "
            f"{file.height}."
        )
    if not 1 <= file.quality <= 100:
        raise ValueError(f"Expected quality in [1, 100], received {file.quality}.")
    if file.tile not in range(0, 256 * TILE_STEP, TILE_STEP):
        raise ValueError(
            f"Expected a multiple of {TILE_STEP} up to {255 * TILE_STEP} as side of "
            f"the tiles, received {file.tile}."
        )
    _check_tiles(file)
    kinds = [kind for kind, _ in file.blocks]
    if kinds != sorted(set(kinds)) or not all(0 < kind < 2**63 for kind in kinds):
        raise ValueError(f"Expected kinds of blocks to rise from 1, received {kinds}.")
    if not all(data for _, data in file.blocks):
        raise ValueError("Expected blocks that are not empty, received b''.")


def _check_tiles(file: TfciFile) -> None:
    count = tile_count(file.height, file.width, file.tile)
    for name in ("first", "rest", "alpha"):
        tiles = getattr(file, name)
        if tiles is not None and len(tiles) != count:
            raise ValueError(
                f"Expected {count} tiles, received {len(tiles)} in {name!r}."
            )
    if file.alpha is not None and not any(file.alpha):
        raise ValueError("Expected alpha None for an opaque image, received b''.")


def codec_field(codec: str) -> bytes:
    """A `tf.train.Example` with the one feature that `PackedTensors.model` reads."""
    field = codec.encode("ascii")
    for head in (b"\x0a", b"\x0a", b"\x0a\x02MD\x12", b"\x0a", b"\x0a"):
        field = head + bytes([len(field)]) + field
    return field


def _header(file: TfciFile) -> bytes:
    """From the flags to the metadata."""
    flags = GREY * file.grey | ALPHA * (file.alpha is not None)
    flags |= VARIANT * (file.variant > 0) | BLOCKS * bool(file.blocks)
    flags |= REST * (file.rest is not None)
    quality = round(100 * file.quality)
    head = _FIXED.pack(flags, file.tile // TILE_STEP, quality, file.fingerprint)
    head += varint(file.width) + varint(file.height)
    if file.variant:
        head += bytes([file.variant])
    if file.blocks:
        head += varint(len(file.blocks))
        head += b"".join(varint(kind) + _string(data) for kind, data in file.blocks)
    return head


def _parts(file: TfciFile) -> list[tuple[bytes, ...]]:
    """The tiles of each part, in the first one with their transparency."""
    first = file.first
    if file.alpha is not None:
        first = tuple(_string(a) + tile for a, tile in zip(file.alpha, first))
    return [first] if file.rest is None else [first, file.rest]


def _index(tiles: tuple[bytes, ...]) -> bytes:
    """Lengths of all tiles but the last, which extends to the end of its part."""
    return b"".join(varint(len(tile)) for tile in tiles[:-1])


def _string(data: bytes) -> bytes:
    return varint(len(data)) + data


def varint(value: int) -> bytes:
    """Seven bits a byte, lowest first; all bytes but the last have bit 7 set."""
    digits = bytearray()
    while value >= 128:
        digits.append(value & 127 | 128)
        value >>= 7
    return bytes(digits) + bytes([value])


class Reader:
    """Reads bytes and numbers from `data`, never beyond its end."""

    def __init__(self, data: bytes):
        self.data = data
        self.position = 0

    @property
    def left(self) -> int:
        return len(self.data) - self.position

    def take(self, count: int) -> bytes:
        if count > self.left:
            raise BitstreamError(
                f"cut: expected {count} more bytes, received {self.left}"
            )
        self.position += count
        return self.data[self.position - count : self.position]

    def varint(self) -> int:
        value = 0
        for shift in range(0, 63, 7):
            byte = self.take(1)[0]
            value |= (byte & 127) << shift
            if byte < 128:
                if shift and not byte:
                    raise BitstreamError("invalid: a number with a leading zero")
                return value
        raise BitstreamError("invalid: a number of more than 63 bits")

    def string(self) -> bytes:
        return self.take(self.varint())

    def check_crc(self) -> None:
        """Reads the CRC of all bytes before it."""
        crc = zlib.crc32(memoryview(self.data)[: self.position])
        if self.take(_CRC.size) != _CRC.pack(crc):
            raise BitstreamError("damaged: the checksum does not match")


def _read_codec_field(data: bytes) -> str:
    if not data:
        raise BitstreamError("the file is empty")
    size = data[13] if len(data) > 13 else 0
    codec = data[14 : 14 + size].decode("ascii", "replace")
    if model_folder.is_id(codec) and data.startswith(codec_field(codec)):
        return codec
    if _is_packed_tensors(data):
        raise BitstreamError("written by another program that uses tfc.PackedTensors")
    raise BitstreamError("not a .tfci file, or its first bytes are damaged")


def _is_packed_tensors(data: bytes) -> bool:
    """Whether `data` is one `Features` field that holds a model id."""
    reader = Reader(data)
    try:
        is_one_field = reader.take(1) == b"\x0a" and reader.varint() == reader.left
    except BitstreamError:
        return False
    return is_one_field and b"\x0a\x02MD\x12" in data


def _read_tag(reader: Reader) -> None:
    if not reader.left:
        raise BitstreamError("written by another program that uses tfc.PackedTensors")
    tag = reader.take(1)[0]
    if tag == _OLDER_TAG:
        raise BitstreamError(
            "written before version 1 of the format: only the program of that time "
            "reads it"
        )
    if tag in _NEWER_TAGS:
        raise BitstreamError(
            f"format version {_NEWER_TAGS[tag]}, only {VERSION} is known here: "
            "a newer release of this program reads it"
        )
    if tag != TAG:
        raise BitstreamError(f"damaged: expected field tag {TAG}, received {tag}")


class _Header(NamedTuple):
    """The header: fields of `TfciFile`, flags, size of the file."""

    fields: dict[str, Any]
    flags: int
    size: int


def _read_header(reader: Reader) -> _Header:
    codec = _read_codec_field(reader.data)
    reader.take(len(codec_field(codec)))
    _read_tag(reader)
    size = reader.varint()
    size += reader.position
    flags, side, quality, fingerprint = _FIXED.unpack(reader.take(_FIXED.size))
    if flags >= 2 * REST:
        raise BitstreamError(f"invalid: unknown flags {flags:#04x}")
    fields = {
        "codec": codec,
        "fingerprint": fingerprint,
        "quality": quality / 100,
        "tile": side * TILE_STEP,
        "grey": bool(flags & GREY),
        "width": reader.varint(),
        "height": reader.varint(),
    }
    if flags & VARIANT:
        fields["variant"] = reader.take(1)[0]
        if not fields["variant"]:
            raise BitstreamError("invalid: a byte for variant 0")
    if flags & BLOCKS:
        fields["blocks"] = _read_blocks(reader)
    return _Header(fields, flags, size)


def _read_blocks(reader: Reader) -> tuple[tuple[int, bytes], ...]:
    count = reader.varint()
    if not 1 <= count <= reader.left:  # Each takes some bytes.
        raise BitstreamError(f"invalid: {count} blocks in {reader.left} bytes")
    return tuple((reader.varint(), reader.string()) for _ in range(count))


def _read_part(reader: Reader, size: int, count: int) -> tuple[bytes, ...]:
    """Reads index and tiles of `size` bytes, and the CRC after them."""
    part = Reader(reader.take(size))
    reader.check_crc()
    if count - 1 > part.left:  # Each length takes a byte at least.
        raise BitstreamError(f"invalid: {count} tiles in {part.left} bytes")
    lengths = [part.varint() for _ in range(count - 1)]
    tiles = [part.take(length) for length in lengths]
    return (*tiles, part.take(part.left))


def _split_alpha(
    tiles: tuple[bytes, ...],
) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """Takes the coded transparency from the beginning of each tile."""
    readers = [Reader(tile) for tile in tiles]
    alpha = tuple(reader.string() for reader in readers)
    return alpha, tuple(reader.take(reader.left) for reader in readers)


def _cut_message(data: bytes, missing: int) -> str:
    message = f"cut: {missing} bytes are missing"
    try:
        unpack(data, first_part=True)
    except BitstreamError:
        return message
    return f"{message}, but its first part is whole: a preview is possible"
