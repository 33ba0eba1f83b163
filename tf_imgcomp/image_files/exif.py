"""EXIF data: turns images upright and keeps everything else."""

from __future__ import annotations

import math
import struct

from PIL import ExifTags, Image, ImageOps

from tf_imgcomp.image_files.pillow_limits import limited_by_memory

PREFIX = b"Exif\0\0"  # In JPEG only.

# A TIFF mixes its EXIF with the tags that describe how its samples are stored.
_DESCRIPTIVE_TAGS = {
    ExifTags.Base.ImageDescription,
    ExifTags.Base.Make,
    ExifTags.Base.Model,
    ExifTags.Base.XResolution,
    ExifTags.Base.YResolution,
    ExifTags.Base.ResolutionUnit,
    ExifTags.Base.Software,
    ExifTags.Base.DateTime,
    ExifTags.Base.Artist,
    ExifTags.Base.HostComputer,
    ExifTags.Base.Copyright,
    ExifTags.IFD.Exif,
    ExifTags.IFD.GPSInfo,
}
_NESTED = {ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo}
# Attributes that copies lose; the last three are of TIFF, JPEG and JPEG XL.
_LOST = {"filename", "tag_v2", "applist", "jpeg"}
_Base = ExifTags.Base
_INCH = 2
_UNITS = {_INCH: 1.0, 3: 2.54}  # Dots per inch; 3 is a centimetre.
_DAMAGE = (SyntaxError, ValueError, KeyError, struct.error)


def turn_upright(image: Image.Image, notes: list[str]) -> bytes | None:
    """Turns a loaded image upright, by the orientation in its EXIF.

    Args:
        image: A loaded image, changed in place.
        notes: Gets a line if the EXIF is damaged.

    Returns:
        The EXIF without prefix, its orientation 1, or None if there is none.
    """
    exif = image.info.get("exif")  # Pillow rewrites it on turning.
    try:
        if not _is_upright(image):
            ImageOps.exif_transpose(image, in_place=True)
        return _reset_orientation(exif) if exif else _descriptive_tags(image)
    except _DAMAGE:
        notes.append("EXIF is damaged and was dropped")
        return None


def _is_upright(image: Image.Image) -> bool:
    """Whether the decoder has turned the image, so that its EXIF is out of date.

    JPEG XL turns by its own header, unless the file is a JPEG that was packed.
    """
    return image.format == "JXL" and not getattr(image, "jpeg", False)


def copy_with_tags(image: Image.Image) -> Image.Image:
    """Returns a copy of an image that keeps its EXIF, its format and its file's name.

    Pillow's copies lose them, and the tags of a TIFF, where its EXIF is.
    """
    copy = image.copy()
    if "exif" not in image.info:
        tags = image.getexif()
        copy.getexif().update(tags)
        for tag in _NESTED & tags.keys():
            copy.getexif()[tag] = tags.get_ifd(tag)
    for name in _LOST & vars(image).keys() | {"format"}:
        setattr(copy, name, getattr(image, name))
    return copy


def read_dpi(exif: bytes | None) -> tuple[float, float] | None:
    """Returns dots per inch across and down, None if EXIF does not say it."""
    tags = Image.Exif()
    try:
        with limited_by_memory():
            tags.load(exif or b"")
        x, y = (float(tags[tag]) for tag in (_Base.XResolution, _Base.YResolution))
        unit = _UNITS[tags.get(_Base.ResolutionUnit, _INCH)]
    except (*_DAMAGE, TypeError, ZeroDivisionError):  # Or not there.
        return None
    return (unit * x, unit * y) if 0 < x < math.inf and 0 < y < math.inf else None


def _descriptive_tags(image: Image.Image) -> bytes | None:
    tags = image.getexif()
    for tag in set(tags) - _DESCRIPTIVE_TAGS:
        del tags[tag]
    return tags.tobytes().removeprefix(PREFIX) if len(tags) else None


def _reset_orientation(exif: bytes) -> bytes:
    """Sets the orientation in place: rewriting EXIF would break makers' notes."""
    exif = exif.removeprefix(PREFIX)
    order = {b"II": "<", b"MM": ">"}[exif[:2]]
    (start,) = struct.unpack_from(order + "I", exif, 4)
    (count,) = struct.unpack_from(order + "H", exif, start)
    for at in range(start + 2, start + 2 + 12 * count, 12):
        (tag,) = struct.unpack_from(order + "H", exif, at)
        if tag == ExifTags.Base.Orientation:
            entry = struct.pack(order + "HHIHH", tag, 3, 1, 1, 0)  # One SHORT: 1.
            return exif[:at] + entry + exif[at + 12 :]
    return exif
