"""The chunks of a PNG file (ISO/IEC 15948), not all of which Pillow reports."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Generator
from typing import BinaryIO

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_FRAME = 12  # Bytes of a chunk's length, kind and checksum.
_LONGEST_KEYWORD = 79  # Bytes.
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
_PROFILE = b"iCCP"
LARGEST = 8_000_000  # Bytes of an inflated text or profile: the limit of libpng.
_LARGEST_SUM = 64_000_000  # Bytes of all texts: Pillow refuses 64 MiB.


def without_large_texts(stream: BinaryIO, notes: list[str]) -> BinaryIO:
    """Returns a file without the texts and the profile that are too large to be read.

    Args:
        stream: A file at its beginning, a PNG or not.
        notes: Gets a line if texts are left out, and one if the profile is.

    Returns:
        The same file, or a copy in memory without these parts; at its beginning.
    """
    if stream.read(len(SIGNATURE)) != SIGNATURE:
        stream.seek(0)
        return stream
    num_texts, has_large_profile, total = 0, False, 0
    kept, position = [(0, len(SIGNATURE))], len(SIGNATURE)
    for kind, length in chunks(stream):
        is_text, is_large = kind in _TEXTS, False
        if is_text:
            if total <= _LARGEST_SUM:  # Hostile texts are not inflated without end.
                size, is_large = _inflated(kind, stream.read(length))
                total += size
            is_large |= total > _LARGEST_SUM
        elif kind == _PROFILE:
            _, is_large = _inflated(kind, stream.read(length))
            has_large_profile |= is_large
        num_texts += is_text and is_large
        if not is_large:
            kept.append((position, length + _FRAME))
        position += length + _FRAME
    stream.seek(0)
    if num_texts:
        notes.append(
            f"large texts dropped: {num_texts}, over {LARGEST} bytes each or over "
            f"{_LARGEST_SUM} with those before"
        )
    if has_large_profile:
        notes.append(f"ICC profile of over {LARGEST} bytes dropped")
    return _parts(stream, kept) if num_texts or has_large_profile else stream


def _inflated(kind: bytes, content: bytes) -> tuple[int, bool]:
    """Bytes of a text or a profile, and whether Pillow refuses to inflate it."""
    _, _, rest = content.partition(b"\0")
    if kind == b"tEXt" or (kind == b"iTXt" and rest[:1] == b"\0"):
        return len(content), False
    # Before the data: the method, or flag, method and two strings.
    data = rest[1:] if kind != b"iTXt" else rest[2:].split(b"\0", 2)[-1]
    inflater = zlib.decompressobj()
    try:
        size = len(inflater.decompress(data, LARGEST))
    except zlib.error:
        return 0, False  # Pillow skips it.
    return size, bool(inflater.unconsumed_tail)


def _parts(stream: BinaryIO, parts: list[tuple[int, int]]) -> BinaryIO:
    """Parts of a file, given by place and size, one after the other in memory."""
    joined = io.BytesIO()
    for place, size in parts:
        stream.seek(place)
        joined.write(stream.read(size))
    joined.seek(0)
    return joined


def chunks(stream: BinaryIO) -> Generator[tuple[bytes, int], None, None]:
    """Kind and length of each chunk; the stream is then at its content.

    Afterwards the stream is where it was.
    """
    before, position = stream.tell(), len(SIGNATURE)
    try:
        stream.seek(position)
        while len(header := stream.read(8)) == 8:
            length, kind = struct.unpack(">I4s", header)
            yield kind, length
            position += length + _FRAME
            stream.seek(position)
    finally:
        stream.seek(before)


def read_keywords(stream: BinaryIO) -> list[str]:
    """The keywords of all texts."""
    return [
        stream.read(min(length, _LONGEST_KEYWORD + 1)).split(b"\0")[0].decode("latin-1")
        for kind, length in chunks(stream)
        if kind in _TEXTS
    ]
