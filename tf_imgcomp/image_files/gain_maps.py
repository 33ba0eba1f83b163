"""Finds gain maps: images that tell a screen how to show a photo in high dynamic range.

Only the photo is kept, which looks right on any screen.
"""

from __future__ import annotations

from typing import BinaryIO

from PIL import Image, JpegImagePlugin

from tf_imgcomp.image_files import isobmff, jpeg_xl

# In JPEG: of Ultra HDR in XMP, and of ISO 21496-1.
_MARKERS = (b"hdrgm:", b"urn:iso:std:iso:ts:21496:-1")
_MP_ENTRIES = 0xB002  # Tag of the list of images in MPO.


def has_gain_map(image: Image.Image, stream: BinaryIO) -> bool:
    """Whether a file holds a gain map beside the image.

    Args:
        image: An open image.
        stream: Its file.
    """
    if isinstance(image, JpegImagePlugin.JpegImageFile):  # Or MPO.
        segments = [content for _, content in image.applist]
        marked = any(m in segment for m in _MARKERS for segment in segments)
        return marked or _has_undefined_image(image)
    if image.format == "JXL":
        return jpeg_xl.read_box(stream, b"jhgm") is not None
    if image.format in ("HEIF", "AVIF"):
        auxiliary = image.info.get("aux") or {}
        of_apple = any("gainmap" in str(kind).lower() for kind in auxiliary)
        return of_apple or b"tmap" in isobmff.read_properties(stream).kinds
    return False


def _has_undefined_image(image: Image.Image) -> bool:
    """Whether an MPO holds an image that is no view and no preview, as phones write."""
    entries = getattr(image, "mpinfo", {}).get(_MP_ENTRIES, [])
    return any(entry["Attribute"]["MPType"] == "Undefined" for entry in entries[1:])
