"""Codes transparency and blocks of metadata of a file.

The bytes are untrusted, so both decoders limit the size of their output.
"""

from __future__ import annotations

import zlib

import numpy as np

from tf_imgcomp.errors import BitstreamError, ImageError
from tf_imgcomp.image_files.metadata import MAX_METADATA

_STORED, _DEFLATED = b"\0", b"\1"


def encode_alpha(alpha: np.ndarray) -> bytes:
    """Codes an alpha plane without loss.

    The rows are predicted in three ways and deflated; the smallest result wins.

    Args:
        alpha: uint8 `(h, w)`.

    Returns:
        bytes: the number of the predictor, then zlib data.
    """
    planes = (alpha, _difference(alpha, 1), _difference(alpha, 0))
    coded = [bytes([n]) + zlib.compress(p.tobytes(), 9) for n, p in enumerate(planes)]
    return min(coded, key=len)


def decode_alpha(data: bytes, height: int, width: int) -> np.ndarray:
    """Returns the uint8 `(height, width)` plane that `encode_alpha` coded.

    Raises:
        BitstreamError: If `data` is damaged or of another size.
    """
    if data[0] > 2:
        raise BitstreamError(f"transparency: unknown predictor {data[0]}")
    rows = _inflate(data[1:], height * width, "transparency")
    if len(rows) != height * width:
        raise BitstreamError(
            f"transparency: expected {height * width} bytes, received {len(rows)}"
        )
    plane = np.frombuffer(rows, np.uint8).reshape(height, width)
    if data[0] == 0:
        return plane
    return np.cumsum(plane, axis=2 - data[0], dtype=np.uint8)


def encode_metadata(data: bytes) -> bytes:
    """Codes an ICC profile or other metadata, deflated if that is shorter.

    Raises:
        ImageError: If `data` is larger than `MAX_METADATA`.
    """
    if len(data) > MAX_METADATA:
        raise ImageError(
            f"metadata of {len(data)} bytes exceed {MAX_METADATA} bytes: drop them "
            "with --strip"
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
        return _inflate(body, MAX_METADATA, "metadata")
    raise BitstreamError(f"metadata: unknown coding {method[0]}")


def _difference(plane: np.ndarray, axis: int) -> np.ndarray:
    """Differences modulo 256 along an axis, the first from 0."""
    return np.diff(plane, axis=axis, prepend=np.uint8(0))


def _inflate(data: bytes, limit: int, name: str) -> bytes:
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
