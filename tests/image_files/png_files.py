"""Makes PNG files that Pillow cannot write."""

import struct
import zlib


def png(values, colour_type, *more, depth=16):
    """The bytes of a PNG.

    Args:
        values: integers `(h, w, channels)`.
        colour_type: int, of the header.
        more: pairs of name and content of further chunks before the pixels.
        depth: bits per sample, 8 or 16.
    """
    height, width, _ = values.shape
    rows = values.astype(f">u{depth // 8}")
    lines = b"".join(b"\0" + row.tobytes() for row in rows)
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    chunks = (b"IHDR", header), *more, (b"IDAT", zlib.compress(lines)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*pair) for pair in chunks)


def _chunk(name, data):
    crc = struct.pack(">I", zlib.crc32(name + data))
    return struct.pack(">I", len(data)) + name + data + crc
