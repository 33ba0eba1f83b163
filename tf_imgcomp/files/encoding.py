"""From a photo to the bytes of a `.tfci` file and back."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tf_imgcomp import metrics
from tf_imgcomp.data import extras, images, memory
from tf_imgcomp.data.images import Photo
from tf_imgcomp.errors import BitstreamError, ImgcompError, ModelError
from tf_imgcomp.files import bitstream
from tf_imgcomp.files.bitstream import TfciFile
from tf_imgcomp.files.rate_search import Trial, bracket
from tf_imgcomp.image_codecs.filtered import FilteredCodec
from tf_imgcomp.image_codecs.interface import ImageCodec


@dataclass(frozen=True)
class Goal:
    """What a file shall reach; one of the four, the others None.

    Attributes:
        quality: float in [1, 100].
        target_bpp: float, bits per pixel that the file must not exceed.
        target_psnr: float, dB that the decoded image must reach.
        max_bytes: int, bytes that the file must not exceed.
    """

    quality: float | None = None
    target_bpp: float | None = None
    target_psnr: float | None = None
    max_bytes: int | None = None


def encode(codec: ImageCodec, photo: Photo, goal: Goal) -> tuple[bytes, float | None]:
    """Returns the bytes of a file that meets `goal`, and its PSNR.

    The PSNR is None unless it had to be measured.

    Raises:
        ImgcompError: If the goal is out of reach.
    """
    parts = _extras(photo)
    if goal.quality is not None:
        return _pack(codec, photo, parts, goal.quality), None
    if goal.target_psnr is not None:
        return _reach_psnr(codec, photo, parts, goal.target_psnr)
    height, width, _ = photo.pixels.shape
    limit = goal.max_bytes
    if limit is None:
        limit = math.floor(goal.target_bpp * height * width / 8)
    return _stay_below(codec, photo, parts, limit), None


def decode(codec: ImageCodec, file: TfciFile) -> Photo:
    """Returns the image in a file.

    Raises:
        ModelError: If the file was written with other weights than the codec's.
        ImageError: If the image does not fit into memory.
        BitstreamError: If the file does not decode to what was encoded.
    """
    if file.fingerprint != codec.fingerprint:
        raise ModelError(
            f"needs model {file.codec!r} with fingerprint {file.fingerprint:#06x}, "
            f"the one here has {codec.fingerprint:#06x}"
        )
    memory.check_memory(file.height, file.width, codec.bytes_per_pixel)
    alpha, icc, exif = _decode_extras(file)
    pixels, checksum = codec.decompress(
        file.strings, file.height, file.width, file.quality
    )
    if checksum != file.checksum:
        raise BitstreamError(
            "decoded to other latents than were encoded: expected checksum "
            f"{file.checksum:#06x}, received {checksum:#06x}"
        )
    if file.grey:
        pixels = images.grey_pixels(pixels)
    return Photo(pixels, file.grey, alpha, icc, exif)


def _extras(photo: Photo) -> dict:
    def coded(code, value):
        return None if value is None else code(value)

    return {
        "grey": photo.grey,
        "alpha": coded(extras.encode_alpha, photo.alpha),
        "icc": coded(extras.encode_metadata, photo.icc),
        "exif": coded(extras.encode_metadata, photo.exif),
    }


def _decode_extras(
    file: TfciFile,
) -> tuple[np.ndarray | None, bytes | None, bytes | None]:
    alpha, icc, exif = file.alpha, file.icc, file.exif
    return (
        alpha and extras.decode_alpha(alpha, file.height, file.width),
        icc and extras.decode_metadata(icc),
        exif and extras.decode_metadata(exif),
    )


def _pack(codec: ImageCodec, photo: Photo, parts: dict, quality: float) -> bytes:
    coded = codec.compress(photo.pixels, quality)
    height, width, _ = photo.pixels.shape
    return bitstream.pack(
        TfciFile(
            codec=codec.id,
            fingerprint=codec.fingerprint,
            height=height,
            width=width,
            quality=coded.quality,
            strings=coded.strings,
            checksum=coded.checksum,
            **parts,
        )
    )


def _once_at_a_setting(codec: ImageCodec) -> Callable:
    """Decorates what measures a quality: it is not run twice where few settings are."""

    def decorated(measure: Callable[[float], Trial]) -> Callable[[float], Trial]:
        known = {}

        def remembered(quality: float) -> Trial:
            setting = codec.setting(quality)
            if setting not in known:
                known[setting] = measure(quality)
            return dataclasses.replace(known[setting], quality=quality)

        return remembered

    return decorated


def _stay_below(codec: ImageCodec, photo: Photo, parts: dict, limit: int) -> bytes:
    """Takes the best quality that needs at most `limit` bytes."""
    draft = codec.draft if isinstance(codec, FilteredCodec) else codec

    @_once_at_a_setting(codec)
    def measure(quality: float) -> Trial:
        data = _pack(draft, photo, parts, quality)
        return Trial(quality, math.log(len(data)), data)

    best, above = bracket(measure, math.log(max(limit, 1)))
    if best is None:
        height, width, _ = photo.pixels.shape
        smallest = len(above.result)
        raise ImgcompError(
            f"does not fit into {limit} bytes: quality 1 takes {smallest} "
            f"({metrics.bpp(smallest, height, width):.4f} bpp)"
        )
    if draft is codec:
        return best.result
    return _pack(codec, photo, parts, best.quality)


def _reach_psnr(
    codec: ImageCodec, photo: Photo, parts: dict, target: float
) -> tuple[bytes, float]:
    """Takes the lowest quality whose decoded image has at least `target` dB."""

    @_once_at_a_setting(codec)
    def measure(quality: float) -> Trial:
        data = _pack(codec, photo, parts, quality)
        pixels = decode(codec, bitstream.unpack(data)).pixels
        return Trial(quality, metrics.psnr(photo.pixels, pixels), data)

    below, best = bracket(measure, math.nextafter(target, -math.inf))
    if best is None:
        raise ImgcompError(
            f"does not reach {target:g} dB: quality 100 has {below.value:.2f} dB"
        )
    return best.result, best.value
