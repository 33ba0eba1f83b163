"""Checks on TIFFs that Pillow lacks."""

from __future__ import annotations

from typing import BinaryIO

from PIL import Image, TiffImagePlugin

from tf_imgcomp.errors import ImageError

_BIG = 43  # Version of BigTIFF, in a header of 16 bytes.
_FORMATS = {1: "unsigned", 2: "signed", 3: "floating-point"}


def is_tiff(header: bytes) -> bool:
    return header.startswith(tuple(TiffImagePlugin.PREFIXES))


def describe_samples(stream: BinaryIO) -> str:
    """Returns number, type and photometric interpretation of a pixel's samples.

    Raises:
        Exception: What Pillow raises for damaged files.
    """
    stream.seek(0)
    header = stream.read(8)
    if _BIG in header[2:4]:
        header += stream.read(8)
    tags = TiffImagePlugin.ImageFileDirectory_v2(header)
    stream.seek(tags.next)
    tags.load(stream)
    bits = tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,))
    format_ = tags.get(TiffImagePlugin.SAMPLEFORMAT, (1,))[0]
    kind = _FORMATS.get(format_, f"format {format_}")
    photometric = tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION)
    depths = ", ".join(map(str, bits))
    return f"samples of {depths} bits, {kind}, photometric interpretation {photometric}"


def check_strips(image: Image.Image) -> None:
    """Checks that the strips or tiles of an open TIFF reach the bottom of the image.

    Pillow fills what they lack with black, however large.

    Raises:
        ImageError: If they do not.
    """
    # Pillow turns the size of an image that lies on its side.
    height = getattr(image, "tag_v2", {}).get(TiffImagePlugin.IMAGELENGTH, 0)
    bottom = max((tile.extents[3] for tile in getattr(image, "tile", [])), default=0)
    if bottom < height:
        raise ImageError(f"damaged image: {bottom} of {height} rows are in the file")
