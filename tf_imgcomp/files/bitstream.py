"""Packs and unpacks the bytes of `.tfci` files.

A file is a protocol buffer that `tfc.PackedTensors` opens. Its `model` is the codec's
id; one more field carries everything else. `docs/file_format.md` documents every byte.

Reading is strict: every file has exactly one form, every number is checked before
memory is allocated from it, and a CRC-32 at the end covers all bytes before it. A file
with flipped, missing or additional bytes is refused.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from tf_imgcomp import model_folder
from tf_imgcomp.errors import BitstreamError

VERSION = 1

_QUALITIES = range(100, 10_001)  # Hundredths.
_MAX_SIDE = 2**32 - 1
# A version lives in the field number: 15 is version 1, 14 will be version 2.
_TAG = 0x7A
_NEWER_TAGS = {(16 - version) << 3 | 2: version for version in range(2, 15)}
_EXTRAS = {"alpha": 2, "icc": 4, "exif": 8}
_GREY = 1
_FIXED = struct.Struct("<HHH")  # Quality, fingerprint, latent checksum.
_CRC = struct.Struct("<I")


@dataclass(frozen=True)
class TfciFile:
    """The fields of a `.tfci` file.

    Attributes:
        codec: Id of the model that decodes the file: 1 to 64 lower-case letters,
            digits, `_`, `.`, `+` and `-`, the first a letter or a digit.
        fingerprint: int in [0, 65535], of the model's weights.
        height: int >= 1, in pixels.
        width: int >= 1, in pixels.
        quality: float in [1, 100], a multiple of 0.01.
        strings: The range-coded strings, at least one.
        checksum: int in [0, 65535], of the decoded latents.
        grey: Whether the image is grey.
        alpha: Coded transparency (`data.extras.encode_alpha`), or None.
        icc: Coded ICC profile (`data.extras.encode_metadata`), or None.
        exif: Coded EXIF data (`data.extras.encode_metadata`), or None.
    """

    codec: str
    fingerprint: int
    height: int
    width: int
    quality: float
    strings: tuple[bytes, ...]
    checksum: int
    grey: bool = False
    alpha: bytes | None = None
    icc: bytes | None = None
    exif: bytes | None = None


def pack(file: TfciFile) -> bytes:
    """Returns the bytes of a file.

    Raises:
        ValueError: If a field is outside of the range that `TfciFile` states.
    """
    _check(file)
    payload = _head(file) + _lengths(file.strings) + b"".join(_extras(file))
    payload += b"".join(file.strings)
    size = len(payload) + _CRC.size
    data = _codec_field(file.codec) + bytes([_TAG]) + _varint(size) + payload
    return data + _CRC.pack(zlib.crc32(data))


def unpack(data: bytes) -> TfciFile:
    """Reads the bytes of a file; the inverse of `pack`.

    Raises:
        BitstreamError: If `data` is not what `pack` returned for some file.
    """
    codec = _read_codec_field(data)
    reader = _Reader(data, len(_codec_field(codec)))
    _read_tag(reader)
    size = reader.varint()
    if size != reader.left:
        raise BitstreamError(
            f"cut or extended: expected {size} more bytes, received {reader.left}"
        )
    body, crc = data[: -_CRC.size], data[-_CRC.size :]
    if crc != _CRC.pack(zlib.crc32(body)):
        raise BitstreamError("damaged: the checksum does not match")
    file = _read_payload(codec, _Reader(body, reader.position))
    try:
        canonical = pack(file) == data
    except ValueError as error:
        raise BitstreamError(f"invalid: {error}") from None
    if not canonical:
        raise BitstreamError("invalid: not in the one form that a file has")
    return file


def _check(file: TfciFile) -> None:
    model_folder.check_id(file.codec)
    for name in ("fingerprint", "checksum"):
        if not 0 <= getattr(file, name) < 2**16:
            raise ValueError(
                f"Expected {name} in [0, 65535], received {getattr(file, name)}."
            )
    if not (1 <= file.height <= _MAX_SIDE and 1 <= file.width <= _MAX_SIDE):
        raise ValueError(
            f"Expected sides of at least 1 pixel, received {file.width} x "
            f"{file.height}."
        )
    if not 1 <= file.quality <= 100:
        raise ValueError(f"Expected quality in [1, 100], received {file.quality}.")
    if not file.strings:
        raise ValueError("Expected at least one string, received none.")
    for name in _EXTRAS:
        if getattr(file, name) == b"":
            raise ValueError(f"Expected {name} None or not empty, received b''.")


def _codec_field(codec: str) -> bytes:
    """A `tf.train.Example` with the one feature that `PackedTensors.model` reads."""
    field = codec.encode("ascii")
    for head in (b"\x0a", b"\x0a", b"\x0a\x02MD\x12", b"\x0a", b"\x0a"):
        field = head + bytes([len(field)]) + field
    return field


def _head(file: TfciFile) -> bytes:
    flags = _GREY * file.grey
    flags |= sum(
        bit for name, bit in _EXTRAS.items() if getattr(file, name) is not None
    )
    count = len(file.strings)
    head = bytes([flags | count << 4]) if count < 16 else bytes([flags])
    head += _FIXED.pack(round(100 * file.quality), file.fingerprint, file.checksum)
    head += _varint(file.width) + _varint(file.height)
    return head if count < 16 else head + _varint(count)


def _lengths(strings: tuple[bytes, ...]) -> bytes:
    """Lengths of all strings but the last, which extends to the end."""
    return b"".join(_varint(len(string)) for string in strings[:-1])


def _extras(file: TfciFile) -> list[bytes]:
    extras = [getattr(file, name) for name in _EXTRAS]
    return [_varint(len(extra)) + extra for extra in extras if extra is not None]


def _varint(value: int) -> bytes:
    """Seven bits a byte, lowest first; all bytes but the last have bit 7 set."""
    digits = bytearray()
    while value >= 128:
        digits.append(value & 127 | 128)
        value >>= 7
    return bytes(digits) + bytes([value])


class _Reader:
    """Reads bytes and numbers from `data`, never beyond its end."""

    def __init__(self, data: bytes, position: int):
        self.data = data
        self.position = position

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
        for shift in range(0, 64, 7):
            byte = self.take(1)[0]
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise BitstreamError("invalid: a number of more than 63 bits")


def _read_codec_field(data: bytes) -> str:
    if not data:
        raise BitstreamError("the file is empty")
    size = data[13] if len(data) > 13 else 0
    codec = data[14 : 14 + size].decode("ascii", "replace")
    if model_folder.is_id(codec) and data.startswith(_codec_field(codec)):
        return codec
    if _is_packed_tensors(data):
        raise BitstreamError("written by another program that uses tfc.PackedTensors")
    raise BitstreamError("not a .tfci file, or its first bytes are damaged")


def _is_packed_tensors(data: bytes) -> bool:
    """Whether `data` is one `Features` field that holds a model id."""
    reader = _Reader(data, 0)
    try:
        is_one_field = reader.take(1) == b"\x0a" and reader.varint() == reader.left
    except BitstreamError:
        return False
    return is_one_field and b"\x0a\x02MD\x12" in data


def _read_tag(reader: _Reader) -> None:
    if not reader.left:
        raise BitstreamError("written by another program that uses tfc.PackedTensors")
    tag = reader.take(1)[0]
    if tag in _NEWER_TAGS:
        raise BitstreamError(
            f"format version {_NEWER_TAGS[tag]}, only {VERSION} is known here: "
            "a newer release of this program reads it"
        )
    if tag != _TAG:
        raise BitstreamError(f"damaged: expected field tag {_TAG}, received {tag}")


def _read_payload(codec: str, reader: _Reader) -> TfciFile:
    count, flags = divmod(reader.take(1)[0], 16)
    quality, fingerprint, checksum = _FIXED.unpack(reader.take(_FIXED.size))
    if quality not in _QUALITIES:
        raise BitstreamError(f"invalid: quality {quality / 100}")
    width, height = reader.varint(), reader.varint()
    count = count or reader.varint()
    if count - 1 > reader.left:  # Each length takes a byte at least.
        raise BitstreamError(f"invalid: {count} strings in {reader.left} bytes")
    lengths = [reader.varint() for _ in range(count - 1)]
    extras = {
        name: reader.take(reader.varint())
        for name, bit in _EXTRAS.items()
        if flags & bit
    }
    strings = [reader.take(length) for length in lengths]
    return TfciFile(
        codec=codec,
        fingerprint=fingerprint,
        height=height,
        width=width,
        quality=quality / 100,
        strings=(*strings, reader.take(reader.left)),
        checksum=checksum,
        grey=bool(flags & _GREY),
        **extras,
    )
