"""Classical codecs inside `.tfci` files: one tile of one part, the complete stream.

Before a stream of BPG or VVC is a checksum of the decoded pixels, because their
decoders are exact. Decoders of JPEG, JPEG 2000, WebP and AVIF may round differently
between versions, so their streams have none.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tf_imgcomp.classical import CODECS
from tf_imgcomp.classical.pillow import FAST, WEBP_LOSSLESS
from tf_imgcomp.errors import BitstreamError, ClassicalCodecError
from tf_imgcomp.image_codecs.interface import Coded, ImageCodec
from tf_imgcomp.regions import Region

BY_FFMPEG = ("bpg", "bpg444", "vvc", "vvc_fast")
_OTHERS = ("jpeg", "jpeg2000", "webp", "avif", "avif444")
CLASSICAL_CODECS = {name: CODECS[name] for name in (*BY_FFMPEG, *_OTHERS)}
CLASSICAL_CODECS[WEBP_LOSSLESS.name] = WEBP_LOSSLESS

_CHECKSUM_SIZE = 2  # Bytes.


class _Memory(NamedTuple):
    """Peak memory in bytes, by benchmarks/memory.py: of any image, and of a pixel."""

    base: float
    encoder: float
    decoder: float


_MEMORY = {  # Of BPG and VVC, with the process of FFmpeg.
    **dict.fromkeys(("bpg", "bpg444"), _Memory(25e6, 65, 60)),
    **dict.fromkeys(("vvc", "vvc_fast"), _Memory(45e6, 65, 60)),
    "jpeg": _Memory(5e6, 11, 14),
    "jpeg2000": _Memory(5e6, 42, 18),
    "webp": _Memory(5e6, 14, 22),
    "avif": _Memory(5e6, 34, 16),
    "avif444": _Memory(5e6, 52, 18),
    WEBP_LOSSLESS.name: _Memory(5e6, 36, 25),
}


class ClassicalImageCodec(ImageCodec):
    """See `ImageCodec`.

    Args:
        name: one of `CLASSICAL_CODECS`.
        is_fast: whether to take the encoder of `faster`.

    Attributes:
        all_native: the codec's own settings that the qualities from 100 to 1 are
            spread over.
    """

    fingerprint = 0

    def __init__(self, name: str, is_fast: bool = False):
        codecs = FAST if is_fast else CLASSICAL_CODECS
        self.id, self._codec = name, codecs[name]
        self._has_checksum = name in BY_FFMPEG
        self.all_native: Sequence[float] = self._codec.all_settings[::-1]

    @property
    def version(self) -> str:
        """See `classical.FileCodec`."""
        return self._codec.version

    def memory_to_compress(self, height: int, width: int) -> float:
        """See `ImageCodec`."""
        memory = _MEMORY[self.id]
        return memory.base + memory.encoder * height * width

    def memory_to_decompress(self, height: int, width: int) -> float:
        """See `ImageCodec`."""
        memory = _MEMORY[self.id]
        return memory.base + memory.decoder * height * width

    def setting(self, quality: float) -> float:
        """The codec's own setting, such as a QP, of a quality in [1, 100]."""
        last = len(self.all_native) - 1
        return self.all_native[round(last * (100 - quality) / 99)]

    def quality(self, setting: float) -> float:
        """The quality of one of `all_native`, a multiple of 0.01."""
        last = max(len(self.all_native) - 1, 1)
        return round(100 - 99 * self.all_native.index(setting) / last, 2)

    def available(self) -> str | None:
        """See `classical.FileCodec`."""
        return self._codec.available()

    def faster(self) -> ImageCodec:
        """See `ImageCodec`."""
        if self.id not in FAST:
            return self
        return ClassicalImageCodec(self.id, is_fast=True)

    def compress(self, pixels: np.ndarray, quality: float) -> Coded:
        """See `ImageCodec`."""
        setting = self.setting(quality)
        stream = self._codec.encode(pixels, setting)
        checksum = b""
        if self._has_checksum:
            checksum = _checksum(self._codec.decode(stream))
        return Coded((checksum + stream,), None, self.quality(setting))

    def decompress(
        self, coded: Coded, height: int, width: int, region: Region | None = None
    ) -> np.ndarray:
        """See `ImageCodec`."""
        tile = _only_tile(coded)
        size = _CHECKSUM_SIZE if self._has_checksum else 0
        checksum, stream = tile[:size], tile[size:]
        try:
            _check_size(self._codec.size(stream), height, width)
            pixels = self._codec.decode(stream)
        except ClassicalCodecError as error:
            raise BitstreamError(f"the stream does not decode: {error}") from error
        _check_size(pixels.shape[:2], height, width)
        if self._has_checksum and checksum != _checksum(pixels):
            raise BitstreamError("decoded to other pixels than were encoded")
        return pixels if region is None else pixels[region.slices]


def _checksum(pixels: np.ndarray) -> bytes:
    """The low half of the CRC-32 of pixels."""
    crc = zlib.crc32(np.ascontiguousarray(pixels).data)
    return (crc & 0xFFFF).to_bytes(_CHECKSUM_SIZE, "little")


def _check_size(found: tuple[int, ...], height: int, width: int) -> None:
    if found != (height, width):
        raise BitstreamError(
            f"expected an image of {width}x{height} pixels, the stream has "
            f"{found[1]}x{found[0]}"
        )


def _only_tile(coded: Coded) -> bytes:
    if coded.variant:
        raise BitstreamError(f"expected variant 0, received {coded.variant}")
    if len(coded.first) != 1 or coded.rest is not None:
        raise BitstreamError("expected one tile and one part")
    return coded.first[0]
