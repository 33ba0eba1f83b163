"""BPG and VVC inside `.tfci` files: one tile of one part.

Its bytes are a checksum of the decoded pixels and the complete stream.
"""

from __future__ import annotations

import zlib

import numpy as np

from tf_imgcomp.classical import CODECS, bpg, vvc
from tf_imgcomp.errors import BitstreamError, ClassicalCodecError
from tf_imgcomp.image_codecs.interface import Coded, ImageCodec
from tf_imgcomp.tile_grid import Region

# Qualities from 1 to 100 are spread over these QPs, from the last to the first.
QPS = {"bpg": bpg.QPS, "bpg444": bpg.QPS, "vvc": vvc.QPS, "vvc_fast": vvc.QPS}

_CHECKSUM_SIZE = 2  # Bytes.


class ClassicalImageCodec(ImageCodec):
    """See `ImageCodec`.

    Args:
        name: one of `QPS`.
    """

    fingerprint = 0
    bytes_per_pixel = 150.0  # Colours in float32, several planes at a time.

    def __init__(self, name: str):
        self.id = name
        self._codec, self._last = CODECS[name], QPS[name][-1]

    def setting(self, quality: float) -> int:
        """The QP of a quality in [1, 100]."""
        return round(self._last * (100 - quality) / 99)

    def quality(self, qp: int) -> float:
        """The quality of a QP, a multiple of 0.01."""
        return round(100 - 99 * qp / self._last, 2)

    def available(self) -> str | None:
        """See `classical.Codec`."""
        return self._codec.available()

    def compress(self, pixels: np.ndarray, quality: float) -> Coded:
        """See `ImageCodec`."""
        qp = self.setting(quality)
        stream = self._codec.encode(pixels, qp)
        checksum = _checksum(self._codec.decode(stream))
        return Coded((checksum + stream,), None, self.quality(qp))

    def decompress(
        self, coded: Coded, height: int, width: int, region: Region | None = None
    ) -> np.ndarray:
        """See `ImageCodec`."""
        tile = _only_tile(coded)
        checksum, stream = tile[:_CHECKSUM_SIZE], tile[_CHECKSUM_SIZE:]
        try:
            pixels = self._codec.decode(stream)
        except ClassicalCodecError as error:
            raise BitstreamError(f"the stream does not decode: {error}") from error
        if pixels.shape != (height, width, 3):
            raise BitstreamError(
                f"expected an image of {width}x{height} pixels, the stream has "
                f"{pixels.shape[1]}x{pixels.shape[0]}"
            )
        if checksum != _checksum(pixels):
            raise BitstreamError("decoded to other pixels than were encoded")
        return pixels if region is None else pixels[region.slices]


def _only_tile(coded: Coded) -> bytes:
    if coded.variant:
        raise BitstreamError(f"expected variant 0, received {coded.variant}")
    if len(coded.first) != 1 or coded.rest is not None:
        raise BitstreamError("expected one tile and one part")
    return coded.first[0]


def _checksum(pixels: np.ndarray) -> bytes:
    """The low half of the CRC-32 of pixels."""
    crc = zlib.crc32(np.ascontiguousarray(pixels).data)
    return (crc & 0xFFFF).to_bytes(_CHECKSUM_SIZE, "little")
