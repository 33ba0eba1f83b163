"""The metadata of a photo as blocks of a `.tfci` file, and back.

The bytes are documented in `docs/file_format.md`. They are untrusted: the size of what
a block holds is limited.
"""

from __future__ import annotations

import struct
import zlib
from typing import Any

from tf_imgcomp import bitstream
from tf_imgcomp.bitstream import Reader, varint
from tf_imgcomp.errors import BitstreamError, ImageError
from tf_imgcomp.files.inflation import inflate
from tf_imgcomp.image_files import metadata
from tf_imgcomp.image_files.images import Photo
from tf_imgcomp.image_files.metadata import MAX_METADATA, Text

# Kinds of blocks that hold bytes as they are.
_FIELDS = {bitstream.ICC: "icc", bitstream.EXIF: "exif", bitstream.XMP: "xmp"}
_RESOLUTION = struct.Struct("<ff")  # Dots per inch across and down.
_STORED, _DEFLATED = b"\0", b"\1"


def encode_blocks(photo: Photo) -> tuple[tuple[int, bytes], ...]:
    """Returns kind and bytes of each block that a photo needs.

    Raises:
        ImageError: If its metadata exceed the size that files hold.
    """
    blocks = []
    for kind, field in _FIELDS.items():
        data = getattr(photo, field)
        if data is not None:
            blocks.append((kind, encode_metadata(data)))
    if photo.dpi is not None:
        blocks.append((bitstream.RESOLUTION, _RESOLUTION.pack(*photo.dpi)))
    if photo.text:
        blocks.append((bitstream.TEXT, encode_metadata(_pack(photo.text))))
    return tuple(blocks)


def decode_blocks(
    blocks: tuple[tuple[int, bytes], ...],
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Returns the fields of `Photo` that blocks hold, and notes for the user.

    Raises:
        BitstreamError: If a block is damaged.
    """
    fields: dict[str, Any] = {}
    notes = []
    for kind, data in blocks:
        if kind in _FIELDS:
            fields[_FIELDS[kind]] = decode_metadata(data)
        elif kind == bitstream.RESOLUTION:
            fields["dpi"] = _unpack_resolution(data)
        elif kind == bitstream.TEXT:
            fields["text"] = _unpack(decode_metadata(data))
        else:
            notes.append(f"metadata of unknown kind {kind} left out")
    return fields, tuple(notes)


def encode_metadata(data: bytes) -> bytes:
    """Codes an ICC profile or other metadata, deflated if that is shorter.

    Raises:
        ImageError: If `data` is larger than `MAX_METADATA`.
    """
    if len(data) > MAX_METADATA:
        raise ImageError(
            f"metadata of {len(data)} bytes exceed {MAX_METADATA} bytes: set strip "
            "to leave out all metadata"
        )
    return min(_DEFLATED + zlib.compress(data, 9), _STORED + data, key=len)


def decode_metadata(data: bytes) -> bytes:
    """Returns the bytes that `encode_metadata` coded.

    Raises:
        BitstreamError: If `data` is damaged or longer than `MAX_METADATA`.
    """
    method, body = data[:1], data[1:]
    if method == _STORED:
        return body
    if method == _DEFLATED:
        return inflate(body, MAX_METADATA, "metadata")
    raise BitstreamError(f"metadata: unknown coding {method[0]}")


def _unpack_resolution(data: bytes) -> tuple[float, float]:
    if len(data) != _RESOLUTION.size:
        raise BitstreamError(
            f"resolution: expected {_RESOLUTION.size} bytes, received {len(data)}"
        )
    dpi = _RESOLUTION.unpack(data)
    if not metadata.is_resolution(dpi):
        raise BitstreamError(f"resolution: {dpi[0]:g} x {dpi[1]:g} dots per inch")
    return dpi


def _pack(text: Text) -> bytes:
    if len(text) > metadata.MAX_TEXTS:
        raise ImageError(f"{len(text)} texts exceed {metadata.MAX_TEXTS}")
    strings = (string.encode() for pair in text for string in pair)
    return b"".join(varint(len(string)) + string for string in strings)


def _unpack(data: bytes) -> Text:
    reader, pairs = Reader(data), []
    try:
        while reader.left:
            pair = reader.string().decode(), reader.string().decode()
            pairs.append(pair)
            if len(pairs) > metadata.MAX_TEXTS:
                raise BitstreamError(f"text: more than {metadata.MAX_TEXTS} pairs")
    except UnicodeDecodeError:
        raise BitstreamError("text: not UTF-8") from None
    if not pairs or not all(metadata.is_keyword(keyword) for keyword, _ in pairs):
        raise BitstreamError("text: without a keyword of 1 to 79 characters of Latin-1")
    return tuple(pairs)
