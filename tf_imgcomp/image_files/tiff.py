"""Checks on TIFFs, and tags of colours, that Pillow lacks."""

from __future__ import annotations

from typing import Any, BinaryIO

from PIL import Image, TiffImagePlugin

from tf_imgcomp.errors import ImageError

_BIG = 43  # Version of BigTIFF, in a header of 16 bytes.
# Numbers of the tags, and how many numbers each holds (TIFF 6.0, section 20).
_COLOURS = {
    "WhitePoint": (318, {2}),
    "PrimaryChromaticities": (319, {6}),
    "TransferFunction": (301, {n << bits for bits in range(1, 17) for n in (1, 3)}),
}
_FORMATS = {1: "unsigned", 2: "signed", 3: "floating-point"}


def is_tiff(header: bytes) -> bool:
    return header.startswith(tuple(TiffImagePlugin.PREFIXES))


def describe_samples(stream: BinaryIO) -> str:
    """Returns how a TIFF stores a pixel's samples.

    Raises:
        ImageError: If the file ends before it says so.
        Exception: What Pillow raises for damaged files.
    """
    stream.seek(0)
    header = stream.read(8)
    if _BIG in header[2:4]:
        header += stream.read(8)
    tags = TiffImagePlugin.ImageFileDirectory_v2(header)
    stream.seek(tags.next)
    tags.load(stream)
    if TiffImagePlugin.IMAGEWIDTH not in tags:
        raise ImageError("damaged image: the file ends before its directory")
    bits = tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,))
    format_ = tags.get(TiffImagePlugin.SAMPLEFORMAT, (1,))[0]
    kind = _FORMATS.get(format_, f"format {format_}")
    order = "little-endian" if header.startswith(b"II") else "big-endian"
    photometric = tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION)
    depths = ", ".join(map(str, bits))
    return (
        f"samples of {depths} bits, {kind}, {order}, photometric interpretation "
        f"{photometric}"
    )


def raw_mode(image: Image.Image) -> str:
    """Returns Pillow's raw mode of the samples of a TIFF, loaded or not.

    It is empty for other images, and for samples that Pillow decodes by a library.
    """
    tags = getattr(image, "tag_v2", None)
    if tags is None:
        return ""
    bits = tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,))
    kind = tags.get(TiffImagePlugin.SAMPLEFORMAT, (1,))
    photometric = tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION, 0)
    for key, (mode, raw) in TiffImagePlugin.OPEN_INFO.items():
        order, meaning, format_, _, depths, _ = key
        found = order == tags.prefix and meaning == photometric and depths == bits
        if found and format_[0] == kind[0] and mode == image.mode:
            return str(raw)
    return ""


def has_signed_bytes(image: Image.Image) -> bool:
    """Whether the samples of an open TIFF are signed bytes.

    Pillow takes them as unsigned.
    """
    tags = getattr(image, "tag_v2", {})
    is_byte = tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,))[0] == 8
    return is_byte and tags.get(TiffImagePlugin.SAMPLEFORMAT, (1,))[0] == 2


def read_colours(image: Image.Image) -> dict[str, list[float]]:
    """Returns the numbers in the tags that describe the colours of an open TIFF.

    Returns:
        By name of the tag: x and y of white; x and y of red, green and blue; and the
        light, 0 to 65535, of each value of a sample, for all samples or for red, green
        and blue. An empty list for a damaged tag; absent tags are absent.
    """
    tags = getattr(image, "tag_v2", {})
    return {
        name: _numbers(tags[tag], counts)
        for name, (tag, counts) in _COLOURS.items()
        if tag in tags
    }


def _numbers(values: Any, counts: set[int]) -> list[float]:
    try:
        numbers = [float(value) for value in values]
    except (TypeError, ValueError):  # A single number, or text.
        return []
    return numbers if len(numbers) in counts else []


def check_strips(image: Image.Image) -> None:
    """Checks that the strips or tiles of an open TIFF reach the bottom of the image.

    Pillow fills missing rows with black, however many.

    Raises:
        ImageError: If they do not.
    """
    # Pillow turns the size of an image that lies on its side.
    height = getattr(image, "tag_v2", {}).get(TiffImagePlugin.IMAGELENGTH, 0)
    bottom = max((tile.extents[3] for tile in getattr(image, "tile", [])), default=0)
    if bottom < height:
        raise ImageError(f"damaged image: {bottom} of {height} rows are in the file")
