"""Reads and writes image files with Pillow, as 8-bit colour or grey.

    file ──► read_image ──► Photo(pixels, alpha, icc, exif) ──► write_image ──► file

Pillow raises many types of exceptions for damaged files; here all of them become an
`ImageError` of one line.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from tf_imgcomp import size_limits
from tf_imgcomp.atomic_files import open_atomically
from tf_imgcomp.errors import ImageError, ImgcompError
from tf_imgcomp.image_files import (
    bmp,
    colour_spaces,
    deep_grey,
    exif,
    formats,
    gain_maps,
    isobmff,
    jpeg_2000,
    jpeg_xl,
    metadata,
    png,
    samples,
    tiff,
)
from tf_imgcomp.image_files.colour_spaces import ColourSpace
from tf_imgcomp.image_files.formats import (
    input_suffixes as input_suffixes,  # Also for others.
)
from tf_imgcomp.image_files.formats import output_format as output_format
from tf_imgcomp.image_files.pillow_limits import limited_by_memory

# Without this, Pillow's log messages would appear beside our one-line errors.
logging.getLogger("PIL").addHandler(logging.NullHandler())

_ALPHA_FORMATS = {
    *("PNG", "WEBP", "TIFF", "JPEG2000", "AVIF", "HEIF", "JXL", "TGA", "ICO", "ICNS"),
    *("DDS", "SGI"),
}
# Of these Pillow does not keep everything that is read here.
_READ_FROM_FILES = {
    *("PNG", "AVIF", "HEIF", "JXL", "JPEG2000", "BMP", "DIB", "QOI"),
}
# Decoded images are lossy already: their format should add almost no further loss.
_SAVE_OPTIONS: dict[str, dict[str, Any]] = {
    # Run lengths take half the time of level 4. Pictures decoded at quality 50 become
    # larger: photos 0.3 %, screens 4 %.
    "PNG": {"compress_type": zlib.Z_RLE},
    "JPEG": {"quality": 95, "subsampling": 0},
    "MPO": {"quality": 95, "subsampling": 0},
    "WEBP": {"lossless": True},
    "AVIF": {"quality": 95, "subsampling": "4:4:4"},
    "HEIF": {"quality": 95, "subsampling": "4:4:4"},
    "JXL": {"quality": 95},
    "QOI": {"colorspace": "sRGB"},  # Pillow's default is linear light.
}


@dataclass(frozen=True)
class Photo:
    """An image in memory.

    Attributes:
        pixels: uint8 `(h, w, 3)`, RGB. The three are equal in a grey image.
        grey: Whether the image is grey.
        alpha: uint8 `(h, w)`, 255 is opaque; None for an opaque image.
        icc: ICC profile of the pixels, or None.
        exif: EXIF data without a prefix, its orientation 1, or None.
        xmp: XMP packet, or None.
        dpi: dots per inch across and down, or None if unknown or in the EXIF.
        text: pairs of keyword and text.
        notes: Messages for the user about how the image was read.
    """

    pixels: np.ndarray
    grey: bool = False
    alpha: np.ndarray | None = None
    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None
    text: metadata.Text = ()
    notes: tuple[str, ...] = ()

    @property
    def resolution(self) -> tuple[float, float] | None:
        """Dots per inch across and down, in the EXIF or not; None if unknown."""
        if self.dpi:
            return self.dpi
        dpi = exif.read_dpi(self.exif)
        return dpi if dpi and metadata.is_resolution(dpi) else None

    def without_metadata(self) -> Photo:
        """The photo without ICC profile, EXIF, XMP, resolution and text."""
        return replace(self, icc=None, exif=None, xmp=None, dpi=None, text=())


def read_image(
    path: Path | str,
    needed_memory: Callable[[int, int], float] = size_limits.size_of_picture,
    max_pixels: int = size_limits.MAX_PIXELS,
) -> Photo:
    """Reads an image; of an animation or a document, the first frame.

    Args:
        path: A file in one of the formats that `formats` lists.
        needed_memory: Function from height and width to the peak memory in bytes of
            the caller's processing. An image too large for the available memory is
            refused before it is decoded.
        max_pixels: Largest number of pixels; 0: no limit.

    Raises:
        ImageError: If the file is not an image, damaged, or too large.
        OSError: If the file cannot be read.
    """
    notes: list[str] = []
    with open(path, "rb") as file:
        with _pillow_errors():
            stream = png.without_large_texts(file, notes)
            size = formats.read_size(stream)
        size_limits.check_pixels(*size, max_pixels)
        # It may wait for other images, which need Pillow meanwhile.
        size_limits.check_memory(*size, needed_memory(*size))
        with _pillow_errors():
            image = formats.open_image(stream)
            # Limit embedded images (e.g. in ICO) to the size in the header.
            Image.MAX_IMAGE_PIXELS = image.height * image.width
            if image.format == "TIFF":
                tiff.check_strips(image)
            _name_what_is_left_out(image, stream, notes)
            _name_depth(image, stream, notes)
            return _read_frame(image, stream, notes, samples.raw_mode(image))


def write_image(
    path: Path, photo: Photo, *, overwrite: bool = False
) -> tuple[str, ...]:
    """Writes an image in the format that the extension of `path` names.

    Args:
        path: The file to write, atomically.
        photo: The image.
        overwrite: Whether an existing file may be replaced.

    Returns:
        Messages for the user about everything that the format cannot store.

    Raises:
        ImageError: If Pillow cannot write the format, or this image in it.
        ImgcompError: If `path` exists and may not be replaced.
        OSError: If the file cannot be written.
    """
    format_ = output_format(path)
    image = Image.fromarray(photo.pixels[..., 0] if photo.grey else photo.pixels)
    notes: list[str] = []
    if photo.alpha is not None:
        image = _with_alpha(image, photo.alpha, format_, notes)
    options = _SAVE_OPTIONS.get(format_, {})
    with open_atomically(path, overwrite=overwrite) as file:
        try:
            options = {**options, **metadata.save_options(photo, format_, notes)}
            image.save(file, format_, **options)
        except Exception as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise OSError(error.errno, error.strerror, str(path)) from None
            raise ImageError(f"cannot be written as {format_}: {error}") from None
    return tuple(notes)


def grey_pixels(pixels: np.ndarray) -> np.ndarray:
    """Returns uint8 `(h, w, 3)` with the mean of the three channels in each."""
    grey = np.empty_like(pixels)
    for row, colours in enumerate(pixels):  # Row by row, which takes little memory.
        grey[row] = (colours.sum(-1, dtype=np.uint16, keepdims=True) + 1) // 3
    return grey


def read_pillow_image(
    image: Image.Image,
    needed_memory: Callable[[int, int], float] = size_limits.size_of_picture,
) -> Photo:
    """Returns the photo in an image that Pillow opened or made.

    What Pillow does not keep, such as cICP of a PNG and nclx of an AVIF, is read from
    the file of an image that was opened. If the file was no file on disk and the image
    is loaded, the file is gone, and a note says so. A copy counts as an image that
    Pillow made.

    Args:
        image: An image, which is loaded and not changed.
        needed_memory: As in `read_image`.

    Raises:
        ImageError: If the image is empty, damaged, or too large.
    """
    if not image.width * image.height:
        raise ImageError(
            "Expected an image of at least one pixel, received one of "
            f"{image.width}x{image.height}."
        )
    size_limits.check_memory(
        image.height, image.width, needed_memory(image.height, image.width)
    )
    notes: list[str] = []
    with _pillow_errors(), formats.reopened(image) as (opened, stream):
        if image.format:
            _name_what_is_left_out(opened or image, stream, notes)
        if opened:
            _name_depth(opened, stream, notes)
        elif image.format in _READ_FROM_FILES:
            notes.append(
                "opened from memory and loaded: colours and depth that only the file "
                "tells are unknown"
            )
        raw = samples.raw_mode(opened or image)
        copy = exif.copy_with_tags(image)
        return _read_frame(copy, stream, notes, raw, is_from_file=False)


@contextmanager
def _pillow_errors() -> Iterator[None]:
    """Turns Pillow's exceptions into ImageError."""
    try:
        with limited_by_memory():
            yield
    except ImgcompError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        pixels = str(error).split(",")[0]  # "... (9 pixels) exceeds limit of 4 pixels"
        raise ImageError(f"too large for the available memory: {pixels}") from None
    except UnidentifiedImageError:
        raise ImageError("not an image of a known format") from None
    except MemoryError:
        raise ImageError("not enough memory") from None
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ImageError(f"damaged image: {reason}") from None


def _name_what_is_left_out(
    image: Image.Image, stream: BinaryIO, notes: list[str]
) -> None:
    """Adds notes on further images and metadata in the file."""
    if getattr(image, "is_animated", False):
        # Counting takes quadratic time in a TIFF.
        count = getattr(image, "n_frames", 2) if image.format != "TIFF" else "several"
        number = image.tell()
        frame = f"frame {number + 1}" if number else "first frame"
        notes.append(f"{frame} of {count} only")
    if gain_maps.has_gain_map(image, stream):
        notes.append("HDR gain map dropped")
    if note := metadata.name_what_is_left_out(image, stream):
        notes.append(note)
    if image.format == "HEIF" and image.info.get("depth_images"):
        notes.append("depth map dropped")


def _name_depth(image: Image.Image, stream: BinaryIO, notes: list[str]) -> None:
    """Adds a note on more than 8 bits that the decoder reduces."""
    depth = None
    if image.format == "HEIF":
        depth = image.info.get("bit_depth")
    elif image.format == "AVIF":
        depth = isobmff.read_properties(stream).depth
    elif image.format == "JXL" and image.mode not in deep_grey.MODES:
        depth, is_animation = jpeg_xl.read_depth(stream)
        if is_animation:
            notes.append("first frame of several only")
    elif image.format == "JPEG2000" and image.mode not in deep_grey.MODES:
        depth = jpeg_2000.read_depth(stream)
    if depth and depth > 8:
        notes.append(deep_grey.reduced(depth))


def _read_frame(
    image: Image.Image,
    stream: BinaryIO,
    notes: list[str],
    raw: str,
    *,
    is_from_file: bool = True,
) -> Photo:
    """The photo in an image; its pixels can be read from the file again, or not."""
    metadata.drop_misleading_text(image, notes)
    if image.format == "JPEG2000":
        image.info["icc_profile"] = jpeg_2000.read_profile(stream)
    elif image.format in ("BMP", "DIB"):
        image.info["icc_profile"] = bmp.read_profile(image, stream, notes)
    space = colour_spaces.read_colour_space(image, stream, notes)
    image.load()
    metadata.drop_misleading_text(image, notes)  # It may follow the pixels.
    exif_data = metadata.drop_too_large("EXIF", exif.turn_upright(image, notes), notes)
    curve, note = space.conversion() if space else (None, "")
    notes += [note] if note else []
    source = stream if is_from_file else None
    colours, alpha = samples.to_eight_bits(image, raw, source, notes, curve)
    grey = colours.ndim == 2
    if space:
        icc = _matching_profile(space, grey, notes)
    else:
        icc = samples.check_profile(image.info.get("icc_profile"), grey, notes)
    if alpha is not None and alpha.min() == 255:
        alpha = None
    xmp = metadata.read_xmp(image, stream)
    text = metadata.read_text(image, notes)
    pixels = np.repeat(colours[..., None], 3, -1) if grey else colours
    return Photo(
        pixels=pixels,
        grey=grey,
        alpha=alpha,
        icc=metadata.drop_too_large("ICC profile", icc, notes),
        exif=exif_data,
        xmp=metadata.drop_too_large("XMP", xmp, notes),
        dpi=metadata.read_dpi(image, exif_data),
        text=text,
        notes=tuple(notes),
    )


def _matching_profile(space: ColourSpace, grey: bool, notes: list[str]) -> bytes | None:
    try:
        return space.profile(grey=grey)
    except ValueError:
        notes.append("the colour space is damaged and was dropped")
        return None


def _with_alpha(
    image: Image.Image, alpha: np.ndarray, format_: str, notes: list[str]
) -> Image.Image:
    mask = Image.fromarray(alpha)
    if format_ in _ALPHA_FORMATS:
        image.putalpha(mask)
        return image
    notes.append(f"transparency replaced by white: {format_} cannot store it")
    opaque = Image.new(image.mode, image.size, "white")
    opaque.paste(image, mask=mask)
    return opaque
