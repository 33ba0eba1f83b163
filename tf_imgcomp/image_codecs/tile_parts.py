"""The bytes of one part of a learned codec's tile: a checksum and its streams.

bytes   content
2       checksum of the integers decoded, little endian
varint  number of streams minus 1
varint  length of each stream but the last
..      the streams
"""

from __future__ import annotations

from collections.abc import Sequence

from tf_imgcomp.bitstream import Reader, varint
from tf_imgcomp.errors import BitstreamError

_CHECKSUM_SIZE = 2


def pack(checksum: int, streams: Sequence[bytes]) -> bytes:
    """Returns the bytes of a part.

    Args:
        checksum: int in [0, 65535].
        streams: at least one.
    """
    lengths = [varint(len(stream)) for stream in streams[:-1]]
    head = checksum.to_bytes(_CHECKSUM_SIZE, "little") + varint(len(streams) - 1)
    return b"".join([head, *lengths, *streams])


def unpack(data: bytes) -> tuple[int, list[bytes]]:
    """Reads the checksum and the streams of a part; the inverse of `pack`.

    Raises:
        BitstreamError: If `data` is not what `pack` returns.
    """
    reader = Reader(data)
    checksum = int.from_bytes(reader.take(_CHECKSUM_SIZE), "little")
    count = reader.varint()
    if count > reader.left:  # Each length takes a byte at least.
        raise BitstreamError(f"invalid: {count + 1} streams in {reader.left} bytes")
    lengths = [reader.varint() for _ in range(count)]
    streams = [reader.take(length) for length in lengths]
    return checksum, [*streams, reader.take(reader.left)]
