"""Metadata of image files: read into a photo, and written from it."""

from __future__ import annotations

import collections
import itertools
import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from PIL import Image, PngImagePlugin

from tf_imgcomp.image_files import exif, jpeg_xl, png

MAX_METADATA = 2**24  # Bytes; real profiles and EXIF blocks are far below.

if TYPE_CHECKING:
    from tf_imgcomp.image_files.images import Photo

Text = tuple[tuple[str, str], ...]

MAX_TEXTS = 1000  # Without a limit, a small file could hold millions.
_LENGTHS = 8  # Bytes, at most, of the lengths of keyword and text in a file.
_NAMED = 10  # At most, in one note: a file may hold very many.
_XMP_IN_PNG = "XML:com.adobe.xmp"
_RAW_PROFILE = "Raw profile type "  # Of ImageMagick; what follows is no text.
_XMP_IN_TIFF = 700  # Tag.
_EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/\0"  # What exceeds one segment.
_IPTC, _IPTC_IN_TIFF = 0x0404, 33723  # Photoshop's number in JPEG, and tag.
_ORIENTATION = re.compile(
    rb"""tiff:Orientation=(["'])\d\1|<tiff:Orientation>\d</tiff:Orientation>"""
)
_NO_LIMIT = 2**31
_MEGABYTE = 2**20  # Larger chunks of a PNG are refused by Pillow.
_SEGMENT = 65533  # Bytes in a segment of a JPEG.
_JPEG_ICC = 255 * (_SEGMENT - 14)  # In 255 segments, each with a header.
_JPEG_XMP = _SEGMENT - 29
# Largest size in bytes that each format stores and others can read; absent: none.
_LIMITS = {
    "ICC profile": {
        **dict.fromkeys(("WEBP", "TIFF", "AVIF", "HEIF"), _NO_LIMIT),
        **{"PNG": _MEGABYTE, "JPEG": _JPEG_ICC, "MPO": _JPEG_ICC},
    },
    "EXIF": {
        **dict.fromkeys(("WEBP", "TIFF", "AVIF", "HEIF", "JXL"), _NO_LIMIT),
        # libpng refuses chunks over 8 MB.
        **{"PNG": 8_000_000, "JPEG": _SEGMENT, "MPO": _SEGMENT},
    },
    "XMP": {
        **dict.fromkeys(("WEBP", "TIFF", "AVIF", "HEIF", "JXL"), _NO_LIMIT),
        **{"PNG": _MEGABYTE, "JPEG": _JPEG_XMP, "MPO": _JPEG_XMP},
    },
}
# Of Pillow's `info`, with values that are no text.
_PROPERTIES = {
    *("dpi", "gamma", "chromaticity", "icc_profile", "exif", "xmp", "transparency"),
    *("nclx_profile", "srgb", "interlace"),
}
_KEYS = {"ICC profile": "icc_profile", "EXIF": "exif", "XMP": "xmp"}  # Of Pillow.
_MAX_DPI = 65535  # In JPEG.
_WITH_RESOLUTION = {"PNG", "JPEG", "MPO", "TIFF", "BMP", "DIB"}


def drop_misleading_text(image: Image.Image, notes: list[str]) -> None:
    """Drops texts with the keyword of a property, which Pillow confuses.

    Args:
        image: An open image, changed in place.
        notes: Gets a line for each of them.
    """
    for key in sorted(_PROPERTIES & image.info.keys()):
        if isinstance(image.info[key], str):
            del image.info[key]
            notes.append(f"text {key!r} dropped")


def read_xmp(image: Image.Image, stream: BinaryIO) -> bytes | None:
    """Returns the XMP packet of a loaded upright image, without an orientation."""
    xmp = image.info.get("xmp") or image.info.get(_XMP_IN_PNG)
    if image.format == "JXL":
        xmp = jpeg_xl.read_box(stream, b"xml ")
    if not xmp:
        return None
    return _ORIENTATION.sub(b"", xmp.encode() if isinstance(xmp, str) else bytes(xmp))


def read_dpi(image: Image.Image, exif_data: bytes | None) -> tuple[float, float] | None:
    """Returns dots per inch across and down.

    None if the image has no resolution, or if its EXIF has the same one.

    Args:
        image: A loaded image.
        exif_data: Its EXIF without prefix, as `exif.turn_upright` returns it.
    """
    dpi = image.info.get("dpi")
    if not dpi or tuple(dpi) == (1, 1):  # Pillow's of a TIFF that says nothing.
        return None
    across, down = map(float, dpi)
    known = exif.read_dpi(exif_data)
    # Of EXIF, Pillow takes the resolution across for both.
    if known and math.isclose(known[0], across, rel_tol=1e-4):
        return None
    return (across, down) if is_resolution((across, down)) else None


def is_resolution(dpi: tuple[float, float]) -> bool:
    """Whether all formats can store this number of dots per inch."""
    return all(1 <= value <= _MAX_DPI for value in dpi)


def is_keyword(text: str) -> bool:
    """Whether text can have this keyword: that of PNG."""
    return len(text) in range(1, 80) and text.isprintable() and max(text) < "\u0100"


def read_text(image: Image.Image, notes: list[str]) -> Text:
    """Returns keyword and text of the first comments of a loaded image.

    They are as many as a `.tfci` file holds: `MAX_TEXTS`, of `MAX_METADATA` bytes.

    Args:
        image: A loaded image.
        notes: Gets a line if there are more.
    """
    texts = tuple(_texts(image))
    sizes = (len((key + text).encode()) + _LENGTHS for key, text in texts)
    totals = itertools.accumulate(sizes)
    fitting = sum(total <= MAX_METADATA for total in totals)
    kept = texts[: min(fitting, MAX_TEXTS)]
    if len(kept) < len(texts):
        notes.append(f"texts after the first {len(kept)} of {len(texts)} dropped")
    return kept


def drop_too_large(name: str, block: bytes | None, notes: list[str]) -> bytes | None:
    """Returns a block of metadata, or None if a `.tfci` file cannot hold it.

    Args:
        name: For people.
        block: Its bytes, or None.
        notes: Gets a line if it is dropped.
    """
    if block is None or len(block) <= MAX_METADATA:
        return block
    notes.append(f"{name} of {len(block)} bytes dropped: at most {MAX_METADATA} fit")
    return None


def _texts(image: Image.Image) -> Iterator[tuple[str, str]]:
    if image.format == "PNG":
        # Its attribute `text` would decode all frames of an animation.
        info = image.info.items()
        texts = {str(key): str(value) for key, value in info if isinstance(value, str)}
        hidden = (_XMP_IN_PNG, _RAW_PROFILE)
        for key, value in texts.items():
            if is_keyword(key) and not key.startswith(hidden):
                yield key, value
        return
    segments = getattr(image, "applist", ())  # Of JPEG; `info` has the last comment.
    comments = [data for kind, data in segments if kind == "COM"]
    comments = comments or [image.info.get("comment") or b""]
    for text in map(_decoded, comments):
        # A JPEG 2000 names its encoder.
        if text and not text.startswith("Created by OpenJPEG"):
            yield "Comment", text


def name_what_is_left_out(image: Image.Image, stream: BinaryIO) -> str | None:
    """Returns a note on metadata of an open image that are not read; None if none."""
    names = _unread_texts(png.read_keywords(stream)) if image.format == "PNG" else []
    segments, tags = getattr(image, "applist", ()), getattr(image, "tag_v2", {})
    if any(data.startswith(_EXTENDED_XMP) for _, data in segments):
        names.append("extended XMP")
    blocks = image.info.get("photoshop", {}) if segments else {}
    if _IPTC in blocks or _IPTC_IN_TIFF in tags:
        names.append("IPTC")
    if len(names) > _NAMED:
        names[_NAMED:] = [f"{len(names) - _NAMED} more texts"]
    return f"{', '.join(names)} dropped" if names else None


def _unread_texts(keywords: list[str]) -> list[str]:
    """Names of the texts of a PNG that `read_text` does not return."""
    names = []
    for keyword, count in collections.Counter(keywords).items():
        profile = keyword.removeprefix(_RAW_PROFILE)
        if profile != keyword:
            # Of ImageMagick; Pillow reads EXIF out of it.
            names += [] if profile in ("exif", "APP1") else [f"raw profile {profile!r}"]
        elif not is_keyword(keyword):
            names.append("text without a valid keyword")
        elif count > 1 and keyword != _XMP_IN_PNG:
            names.append(f"text {keyword!r} but for the last of {count}")
    return list(dict.fromkeys(names))


def _decoded(comment: bytes | str) -> str:
    """A comment, which has no declared encoding, without padding."""
    if isinstance(comment, str):
        return comment.rstrip("\0")
    try:
        text = comment.decode()
    except UnicodeDecodeError:
        text = comment.decode("latin-1")
    return text.rstrip("\0")


def save_options(photo: Photo, format_: str, notes: list[str]) -> dict[str, Any]:
    """Returns options of Pillow's `save` that write the metadata of a photo.

    Args:
        photo: A photo.
        format_: Pillow's name of the format.
        notes: Gets a line for everything that the format cannot store.
    """
    blocks = {
        "ICC profile": photo.icc,
        "EXIF": photo.exif and exif.PREFIX + photo.exif,
        "XMP": photo.xmp,
    }
    options: dict[str, Any] = {}
    absent = []
    for name, data in blocks.items():
        limit = _LIMITS[name].get(format_, 0)
        if data and not limit:
            absent.append(name)
        elif data and len(data) > limit:
            notes.append(
                f"{name} of {len(data)} bytes dropped: {format_} stores at most {limit}"
            )
        elif data:
            options[_KEYS[name]] = data
    if photo.resolution and format_ in _WITH_RESOLUTION:
        options["dpi"] = photo.resolution
    elif photo.dpi:
        absent.append("resolution")
    if photo.text and not _add_text(photo.text, format_, options):
        absent.append("text")
    _place_xmp(format_, options)
    if absent:
        notes.append(f"{', '.join(absent)} dropped: {format_} cannot store this")
    return options


def _add_text(text: Text, format_: str, options: dict[str, Any]) -> bool:
    """Adds the options that write text; False if the format cannot store all of it."""
    if format_ == "PNG":
        chunks = options["pnginfo"] = PngImagePlugin.PngInfo()
        for key, value in text:
            chunks.add_itxt(key, value)
        return True
    comment = text[0][1].encode()
    if format_ not in ("JPEG", "MPO", "GIF") or len(comment) > _SEGMENT:
        return False
    options["comment"] = comment
    return len(text) == 1


def _place_xmp(format_: str, options: dict[str, Any]) -> None:
    """Moves XMP to where it belongs in formats for which Pillow has no option."""
    if format_ == "PNG" and "xmp" in options:
        chunks = options.setdefault("pnginfo", PngImagePlugin.PngInfo())
        chunks.add_itxt(_XMP_IN_PNG, options.pop("xmp").decode("utf-8", "replace"))
    elif format_ == "TIFF" and "xmp" in options:
        options["tiffinfo"] = {_XMP_IN_TIFF: options.pop("xmp")}
