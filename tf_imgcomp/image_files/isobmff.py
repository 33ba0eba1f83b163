"""Boxes of HEIC, AVIF, JPEG XL and JPEG 2000 (ISO/IEC 14496-12, 23008-12).

    meta ─┬─ pitm            number of the main image
          ├─ iinf ── infe    number and kind of each item
          └─ iprp ─┬─ ipco   properties: colour, depth, ...
                   └─ ipma   numbers of the properties of each item

Decoders do not report all of these. A damaged box is taken as absent: the decoder
decides whether the file is damaged.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

_LARGEST_META = 2**24  # Bytes; real ones have kilobytes.


@dataclass(frozen=True)
class Properties:
    """What the boxes say about the main image.

    Attributes:
        colour: code points of primaries and transfer function (ITU-T H.273), or None.
        depth: bits per sample, or None.
        kinds: kinds of all items in the file, such as b"tmap".
    """

    colour: tuple[int, int] | None = None
    depth: int | None = None
    kinds: frozenset[bytes] = frozenset()


def file_boxes(stream: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Yields type, start and size of the content of each box of a file."""
    end, at = stream.seek(0, io.SEEK_END), 0
    while at < end:
        stream.seek(at)
        header = stream.read(16)
        if len(header) < 8:
            return
        size, kind = struct.unpack_from(">I4s", header)
        start = at + (16 if size == 1 else 8)
        if size == 1:
            size = int.from_bytes(header[8:], "big")
        size = size or end - at  # 0: up to the end of the file.
        if at + size < start:
            return
        yield kind, start, at + size - start
        at += size


def read_properties(stream: BinaryIO) -> Properties:
    """Reads the properties of a HEIC or AVIF file."""
    for kind, start, size in file_boxes(stream):
        if kind == b"meta":
            stream.seek(start)
            return _properties(stream.read(min(size, _LARGEST_META)))
    return Properties()


def _properties(meta: bytes) -> Properties:
    try:
        parts = dict(boxes(meta[4:]))
        tables = dict(boxes(parts[b"iprp"]))
        properties = list(boxes(tables[b"ipco"]))
        numbers = _numbers(tables[b"ipma"], _integer(parts[b"pitm"], 4, 0))
        main = [properties[n - 1] for n in numbers if 0 < n <= len(properties)]
        kinds = frozenset(_kinds(parts.get(b"iinf", b"")))
    except (KeyError, IndexError, struct.error):
        return Properties()
    colour = [body for kind, body in main if kind == b"colr" and body[:4] == b"nclx"]
    coding = [body[2] for kind, body in main if kind == b"av1C" and len(body) > 2]
    depths = (8, 8, 10, 12)  # By the bits "high bit depth" and "twelve bit".
    return Properties(
        struct.unpack_from(">HH", colour[0].ljust(8, b"\0"), 4) if colour else None,
        depths[coding[0] >> 5 & 3] if coding else None,
        kinds,
    )


def boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yields type and content of each box of a box."""
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if size < 8:
            return
        yield kind, data[at + 8 : at + size]
        at += size


def _integer(box: bytes, at: int, narrow: int) -> int:
    """An integer of 2 bytes up to version `narrow` of a box, of 4 bytes after it."""
    wide = box[0] > narrow
    return struct.unpack_from(">I" if wide else ">H", box, at)[0]


def _kinds(iinf: bytes) -> Iterator[bytes]:
    start = 6 if iinf[:1] == b"\0" else 8
    for kind, body in boxes(iinf[start:]):
        if kind == b"infe" and body[0] >= 2:
            at = 8 if body[0] == 2 else 10
            yield body[at : at + 4]


def _numbers(ipma: bytes, item: int) -> list[int]:
    """Numbers of an item's properties, counted from 1."""
    version, wide = ipma[0], ipma[3] & 1
    (count,) = struct.unpack_from(">I", ipma, 4)
    at = 8
    for _ in range(count):
        owner = _integer(ipma, at, 0)
        at += 4 if version else 2
        length = ipma[at] * (2 if wide else 1)
        entries = ipma[at + 1 : at + 1 + length]
        at += 1 + length
        if owner == item:
            if wide:
                return [n & 0x7FFF for (n,) in struct.iter_unpack(">H", entries)]
            return [n & 0x7F for n in entries]
    return []
