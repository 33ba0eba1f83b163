"""The chunks of a PNG file (ISO/IEC 15948), not all of which Pillow reports."""

from __future__ import annotations

import struct
from collections.abc import Generator
from typing import BinaryIO

_SIGNATURE = 8  # Bytes.
_LONGEST_KEYWORD = 79  # Bytes.
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")


def chunks(stream: BinaryIO) -> Generator[tuple[bytes, int], None, None]:
    """Kind and length of each chunk; the stream is then at its content.

    Afterwards the stream is where it was.
    """
    before, position = stream.tell(), _SIGNATURE
    try:
        stream.seek(position)
        while len(header := stream.read(8)) == 8:
            length, kind = struct.unpack(">I4s", header)
            yield kind, length
            position += 12 + length
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
