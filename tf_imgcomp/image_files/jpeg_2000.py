"""Depth and ICC profile of a JPEG 2000 file (ISO/IEC 15444-1), which Pillow drops."""

from __future__ import annotations

from typing import BinaryIO

from tf_imgcomp.image_files.isobmff import boxes, file_boxes

_LARGEST_HEADER = 2**24  # Bytes; it holds the ICC profile.
_METHODS = (b"\2", b"\3")  # Of a box colr: restricted or any ICC profile.
_START = b"\xff\x4f\xff\x51"  # Markers at the start of the codestream.
_DEPTH = 42  # Place of the first component's depth after it.


def read_profile(stream: BinaryIO) -> bytes | None:
    """Returns the ICC profile, None if there is none."""
    for kind, start, size in file_boxes(stream):
        if kind == b"jp2h":
            stream.seek(start)
            for part, body in boxes(stream.read(min(size, _LARGEST_HEADER))):
                if part == b"colr" and body[:1] in _METHODS:
                    return body[3:]
    return None


def read_depth(stream: BinaryIO) -> int | None:
    """Returns bits per sample of the first component, None if it is not found."""
    starts = [start for kind, start, _ in file_boxes(stream) if kind == b"jp2c"]
    stream.seek(starts[0] if starts else 0)
    header = stream.read(_DEPTH + 1)
    if len(header) <= _DEPTH or not header.startswith(_START):
        return None
    return (header[_DEPTH] & 0x7F) + 1
