"""Inflates untrusted bytes to a limited size."""

from __future__ import annotations

import zlib

from tf_imgcomp.errors import BitstreamError


def inflate(data: bytes, limit: int, name: str) -> bytes:
    """Returns the bytes that zlib deflated.

    Args:
        data: The deflated bytes, and no others.
        limit: Largest number of bytes to return.
        name: What they are, for the message of an error.

    Raises:
        BitstreamError: If `data` is damaged, or holds more bytes than `limit`.
    """
    inflater = zlib.decompressobj()
    try:
        inflated = inflater.decompress(data, limit)
        # At the limit, only the end of the stream may follow.
        excess = inflater.decompress(inflater.unconsumed_tail, 1)
    except zlib.error as error:
        raise BitstreamError(f"{name} is damaged: {error}") from None
    if excess or not inflater.eof or inflater.unused_data:
        raise BitstreamError(f"{name} is damaged: its length is wrong")
    return inflated
