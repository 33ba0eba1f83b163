"""From a photo to the bytes of a `.tfci` file at one quality, and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tf_imgcomp import metrics
from tf_imgcomp.data import extras, images, memory
from tf_imgcomp.data.images import Photo
from tf_imgcomp.errors import BitstreamError, ModelError
from tf_imgcomp.files import bitstream
from tf_imgcomp.files.bitstream import TfciFile
from tf_imgcomp.image_codecs.interface import ImageCodec


class Encoded(NamedTuple):
    """A photo as a file.

    Attributes:
        file: what the file says.
        data: its bytes.
        psnr: RGB PSNR of the decoded photo in dB; None if it was not measured.
    """

    file: TfciFile
    data: bytes
    psnr: float | None = None


class PhotoEncoder:
    """Encodes one photo at any quality; transparency and metadata are coded once.

    Args:
        photo: the photo.
    """

    def __init__(self, photo: Photo):
        self.photo = photo
        self._extras = _encode_extras(photo)

    def __call__(self, codec: ImageCodec, quality: float) -> Encoded:
        """The file of the photo at a quality in [1, 100]."""
        height, width, _ = self.photo.pixels.shape
        coded = codec.compress(self.photo.pixels, quality)
        file = TfciFile(
            codec=codec.id,
            fingerprint=codec.fingerprint,
            height=height,
            width=width,
            quality=coded.quality,
            strings=coded.strings,
            checksum=coded.checksum,
            grey=self.photo.grey,
            **self._extras,
        )
        return Encoded(file, bitstream.pack(file))

    def measured(self, codec: ImageCodec, quality: float) -> tuple[float, Encoded]:
        """The PSNR of the file decoded again, and the file with it."""
        encoded = self(codec, quality)
        pixels = decode(codec, encoded.file).pixels
        psnr = metrics.psnr(self.photo.pixels, pixels)
        return psnr, encoded._replace(psnr=psnr)


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


def _encode_extras(photo: Photo) -> dict[str, bytes | None]:
    def coded(code: Callable[[Any], bytes], value: object) -> bytes | None:
        return None if value is None else code(value)

    return {
        "alpha": coded(extras.encode_alpha, photo.alpha),
        "icc": coded(extras.encode_metadata, photo.icc),
        "exif": coded(extras.encode_metadata, photo.exif),
    }


def _decode_extras(
    file: TfciFile,
) -> tuple[np.ndarray | None, bytes | None, bytes | None]:
    alpha, icc, exif = file.alpha, file.icc, file.exif
    return (
        None if alpha is None else extras.decode_alpha(alpha, file.height, file.width),
        None if icc is None else extras.decode_metadata(icc),
        None if exif is None else extras.decode_metadata(exif),
    )
