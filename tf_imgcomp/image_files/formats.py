"""The image formats that are read and written, and the packages behind some of them."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from tf_imgcomp.errors import ImageError
from tf_imgcomp.image_files import jpeg_xl, tiff
from tf_imgcomp.image_files.plugins import HEIF, JXL

# Formats that users have. Left out: EPS (starts another program), WMF (needs a screen),
# PSD and FITS (security holes in the last releases of Pillow for older versions of
# Python). JPEG stands for MPO, too.
_OPENED = (
    *("JPEG", "PNG", "WEBP", "AVIF", "HEIF", "JXL", "TIFF", "GIF", "BMP", "DIB"),
    *("JPEG2000", "PPM", "QOI", "ICO", "ICNS", "PCX", "SGI", "TGA"),
)


# Of the formats whose packages are imported late: pillow-heif takes 0.3 s.
_SUFFIXES = {
    HEIF: (".heic", ".heics", ".heif", ".heifs", ".hif"),
    JXL: (".jxl",),
}


def read_size(stream: BinaryIO) -> tuple[int, int]:
    """Returns height and width of an image in pixels, without decoding it.

    Args:
        stream: A file at its beginning, where it is left.

    Raises:
        As `open_image`.
    """
    if stream.read(16).startswith(jpeg_xl.SIGNATURES):
        JXL.load()
        width, height = jpeg_xl.read_size(stream)  # Opening would decode it.
    else:
        stream.seek(0)
        width, height = open_image(stream).size
    stream.seek(0)
    return height, width


def open_image(stream: BinaryIO) -> Image.Image:
    """Opens an image of a known format, whatever its file is called.

    Args:
        stream: A file at its beginning.

    Raises:
        ImageError: If it is empty, or the package for its format is missing.
        Exception: What Pillow raises for foreign and damaged files.
    """
    header = stream.read(16)
    if not header:
        raise ImageError("the file is empty")
    stream.seek(0)
    if header[4:8] == b"ftyp" and header[8:12] not in (b"avif", b"avis"):
        HEIF.load()
    elif header.startswith(jpeg_xl.SIGNATURES):
        JXL.load()
        # The plug-in decodes at once, so its size is checked before.
        Image._decompression_bomb_check(jpeg_xl.read_size(stream))
        stream.seek(0)
    Image.init()
    formats = [name for name in _OPENED if name in Image.OPEN]
    try:
        image = Image.open(stream, formats=formats)
    except UnidentifiedImageError:
        if not tiff.is_tiff(header):
            raise
    else:
        if not tiff.has_signed_bytes(image):
            return image
    raise ImageError(f"a TIFF that is not read: {tiff.describe_samples(stream)}")


@contextmanager
def reopened(image: Image.Image) -> Iterator[tuple[Image.Image | None, BinaryIO]]:
    """Context in which the file of an image is open once more, at the same frame.

    Args:
        image: An image that Pillow opened or made.

    Yields:
        The image as its file holds it, and the file; None and an empty file if the
        image was made, or if its file cannot be had or is another one by now.
    """
    with contextlib.ExitStack() as stack:
        opened, stream = None, _file_of(image, stack)
        if stream:
            before = stream.tell()
            stack.callback(stream.seek, before)
            stream.seek(0)
            with contextlib.suppress(Exception):  # Of an image that Pillow did open.
                opened = open_image(stream)
                opened.seek(image.tell())
        if stream and opened and opened.format == image.format:
            yield opened, stream
        else:
            yield None, io.BytesIO()


def _file_of(image: Image.Image, stack: contextlib.ExitStack) -> BinaryIO | None:
    """The file of an image, closed with the stack if it is opened here."""
    name = getattr(image, "filename", "")
    if image.format and name and os.path.isfile(name):
        return stack.enter_context(open(name, "rb"))
    stream = getattr(image, "fp", None)
    return None if stream is None or stream.closed else stream


def output_format(path: Path) -> str:
    """Returns Pillow's name of the format that an extension stands for.

    Raises:
        ImageError: If Pillow cannot write the format.
    """
    suffix = path.suffix.lower()
    for plugin, suffixes in _SUFFIXES.items():
        if suffix in suffixes:
            plugin.load()
    format_ = Image.registered_extensions().get(suffix)
    if format_ not in Image.SAVE:
        raise ImageError(
            f"cannot write images with the extension {path.suffix!r}: "
            "use for example .png, .jpg, .webp or .tif"
        )
    return format_


def input_suffixes() -> set[str]:
    """Returns the extensions, lower case, of the formats that are read."""
    extensions = Image.registered_extensions().items()
    suffixes = {suffix for suffix, format_ in extensions if format_ in _OPENED}
    return suffixes.union({".mpo"}, *_SUFFIXES.values())
