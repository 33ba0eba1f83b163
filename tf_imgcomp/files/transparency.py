"""Codes the transparency of an image without loss, tile by tile.

The bytes are untrusted, so the decoder limits the size of its output.
"""

from __future__ import annotations

import zlib

import numpy as np

from tf_imgcomp.bitstream import TfciFile
from tf_imgcomp.errors import BitstreamError
from tf_imgcomp.files.inflation import inflate
from tf_imgcomp.regions import Region, tile_count, tile_region

_OPAQUE = 255


def encode(alpha: np.ndarray | None, side: int) -> tuple[bytes, ...] | None:
    """The coded transparency of each tile; None for an opaque image."""
    if alpha is None or alpha.min() == _OPAQUE:
        return None
    height, width = alpha.shape
    tiles = []
    for number in range(tile_count(height, width, side)):
        tile = alpha[tile_region(number, height, width, side).slices]
        tiles.append(b"" if tile.min() == _OPAQUE else encode_plane(tile))
    return tuple(tiles)


def decode(file: TfciFile, region: Region) -> np.ndarray | None:
    """The transparency of a region; None for an opaque image."""
    if file.alpha is None:
        return None
    alpha = np.full(region[2:], _OPAQUE, np.uint8)
    for number, coded in enumerate(file.alpha):
        tile = tile_region(number, file.height, file.width, file.tile)
        shared = tile.shared_with(region)
        if coded and shared:
            plane = decode_plane(coded, tile.height, tile.width)
            here = shared.seen_from(region).slices
            alpha[here] = plane[shared.seen_from(tile).slices]
    return alpha


def encode_plane(alpha: np.ndarray) -> bytes:
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


def decode_plane(data: bytes, height: int, width: int) -> np.ndarray:
    """Returns the uint8 `(height, width)` plane that `encode_plane` coded.

    Raises:
        BitstreamError: If `data` is damaged or of another size.
    """
    if data[0] > 2:
        raise BitstreamError(f"transparency: unknown predictor {data[0]}")
    rows = inflate(data[1:], height * width, "transparency")
    if len(rows) != height * width:
        raise BitstreamError(
            f"transparency: expected {height * width} bytes, received {len(rows)}"
        )
    plane = np.frombuffer(rows, np.uint8).reshape(height, width)
    if data[0] == 0:
        return plane
    return np.cumsum(plane, axis=2 - data[0], dtype=np.uint8)


def _difference(plane: np.ndarray, axis: int) -> np.ndarray:
    """Differences modulo 256 along an axis, the first from 0."""
    return np.diff(plane, axis=axis, prepend=np.uint8(0))
