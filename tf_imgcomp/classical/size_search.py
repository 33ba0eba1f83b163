"""Finds the setting at which a classical codec's file has a given size."""

from __future__ import annotations

import numpy as np

from tf_imgcomp.classical.interface import FileCodec


def encode_within(
    codec: FileCodec, pixels: np.ndarray, max_bytes: int
) -> tuple[float, bytes]:
    """Returns the setting of the best file within a size, and the file.

    If all files are larger, it returns the smallest. The search is binary; sizes are
    not strictly monotonic, so a slightly larger file may also fit.

    Args:
        codec: The codec, available.
        pixels: uint8 RGB `(h, w, 3)`.
        max_bytes: Size that the file should not exceed.

    Raises:
        ClassicalCodecError: If the encoder fails.
    """
    settings = codec.all_settings
    best = settings[0], codec.encode(pixels, settings[0])
    if len(best[1]) > max_bytes:
        return best
    low, high = 0, len(settings)
    while high - low > 1:
        middle = (low + high) // 2
        data = codec.encode(pixels, settings[middle])
        if len(data) <= max_bytes:
            low, best = middle, (settings[middle], data)
        else:
            high = middle
    return best
