"""BPG and VVC inside `.tfci` files: one string, the complete stream."""

import zlib

import numpy as np

from tf_imgcomp.classical import CODECS, bpg, vvc
from tf_imgcomp.errors import BitstreamError, ClassicalCodecError
from tf_imgcomp.image_codecs.interface import Coded, ImageCodec

# Qualities from 1 to 100 are spread over these QPs, from the last to the first.
QPS = {"bpg": bpg.QPS, "bpg444": bpg.QPS, "vvc": vvc.QPS, "vvc_fast": vvc.QPS}


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

    def compress(self, pixels: np.ndarray, quality: float) -> Coded:
        qp = self.setting(quality)
        stream = self._codec.encode(pixels, qp)
        checksum = _checksum(self._codec.decode(stream))
        return Coded((stream,), checksum, self.quality(qp))

    def decompress(
        self, strings: tuple, height: int, width: int, quality: float
    ) -> tuple:
        if len(strings) != 1:
            raise BitstreamError(f"expected 1 string, received {len(strings)}")
        try:
            pixels = self._codec.decode(strings[0])
        except ClassicalCodecError as error:
            raise BitstreamError(f"the stream does not decode: {error}") from error
        if pixels.shape != (height, width, 3):
            raise BitstreamError(
                f"expected an image of {width}x{height} pixels, the stream has "
                f"{pixels.shape[1]}x{pixels.shape[0]}"
            )
        return pixels, _checksum(pixels)


def _checksum(pixels: np.ndarray) -> int:
    return zlib.crc32(np.ascontiguousarray(pixels).data) & 0xFFFF
