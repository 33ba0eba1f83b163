"""From a photo to the bytes of a `.tfci` file at one quality, and back."""

from __future__ import annotations

import dataclasses
import functools
from typing import NamedTuple

import numpy as np
from PIL import Image

from tf_imgcomp import bitstream, metrics
from tf_imgcomp.bitstream import TfciFile
from tf_imgcomp.files import transparency
from tf_imgcomp.files.metadata_blocks import decode_blocks, encode_blocks
from tf_imgcomp.image_codecs.interface import ImageCodec
from tf_imgcomp.image_files.images import Photo
from tf_imgcomp.regions import Region


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
        self._blocks = encode_blocks(photo)
        self._alpha = functools.cache(
            functools.partial(transparency.encode, photo.alpha)
        )

    def __call__(self, codec: ImageCodec, quality: float) -> Encoded:
        """The file of the photo at a quality in [1, 100]."""
        height, width, _ = self.photo.pixels.shape
        coded = codec.compress(self.photo.pixels, quality)
        file = dataclasses.replace(
            codec.to_file(coded, height, width),
            grey=self.photo.grey,
            alpha=self._alpha(codec.tile),
            blocks=self._blocks,
        )
        return Encoded(file, bitstream.pack(file))

    def measured(self, codec: ImageCodec, quality: float) -> tuple[float, Encoded]:
        """The PSNR of the file decoded again, and the file with it."""
        encoded = self(codec, quality)
        psnr = metrics.psnr(self.photo.pixels, codec.from_file(encoded.file))
        return psnr, encoded._replace(psnr=psnr)


def decode(
    codec: ImageCodec, file: TfciFile, region: Region | None = None, scale: int = 1
) -> Photo:
    """Returns the image in a file, a part of it, or a preview.

    Args, Raises:
        See `ImageCodec.from_file`.
    """
    pixels = codec.from_file(file, region, scale)
    alpha = transparency.decode(file, region or Region(0, 0, file.height, file.width))
    if alpha is not None and scale > 1:
        alpha = np.asarray(Image.fromarray(alpha).reduce(scale))
    fields, notes = decode_blocks(file.blocks)
    return Photo(pixels, file.grey, alpha, **fields, notes=notes)
