"""Tells what kind of TIFF it is that Pillow cannot open."""

from __future__ import annotations

from typing import BinaryIO

from PIL import TiffImagePlugin

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
