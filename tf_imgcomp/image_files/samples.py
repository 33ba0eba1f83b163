"""Converts samples of any Pillow mode to 8 bits, grey or RGB, and alpha.

Functions add a message to the list `notes` for everything that is lost.
"""

from __future__ import annotations

import io
import sys
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageCms, ImageFile

from tf_imgcomp.image_files import deep_grey, tiff
from tf_imgcomp.image_files.exif import turn_upright
from tf_imgcomp.image_files.transfer import Curve

_GREY_MODES = deep_grey.MODES | {"1", "L", "LA", "La"}
_ROWS = 64  # Converted at once.
_SWAPPED = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}


def raw_mode(image: Image.Image) -> str:
    """Returns Pillow's raw mode, which tells how the file stores its samples.

    Args:
        image: An open image. Once it is loaded, only a TIFF has its raw mode.
    """
    tiles = image.tile if isinstance(image, ImageFile.ImageFile) else []
    if not tiles:
        return tiff.raw_mode(image)
    args = tiles[0].args
    return str(args[0]) if isinstance(args, tuple) and args else str(args)


def to_eight_bits(
    image: Image.Image,
    raw: str,
    stream: BinaryIO | None,
    notes: list[str],
    curve: Curve | None = None,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Returns the samples of an image and its transparency.

    Args:
        image: A loaded image that is upright.
        raw: Its `raw_mode`.
        stream: The file it came from. None: it may have been changed since, so that
            16-bit colours stay as Pillow reduced them.
        notes: Gets a line for everything that is lost.
        curve: Function to apply to samples in [0, 1], before they are rounded if they
            are of 16 bits. None: identity.

    Returns:
        uint8 `(h, w)` if it is grey or `(h, w, 3)`, RGB, if not; and the transparency,
        uint8 `(h, w)`, or None if the image has none.
    """
    if image.mode in deep_grey.MODES:
        return deep_grey.to_eight_bits(image, raw, notes, curve)
    if ";16" in raw:
        notes.append(deep_grey.reduced(16))
    if stream and raw[:-1] in ("RGB;16", "RGBA;16"):
        image = _round_colours(image, raw, stream, curve)
        curve = None
    if image.mode in ("CMYK", "LAB", "HSV", "YCbCr"):
        image = _to_rgb(image, notes)
    grey = image.mode in _GREY_MODES or raw == "LA;16B"  # Pillow makes it RGBA.
    colours, alpha = _split(image, "L" if grey else "RGB")
    if curve:
        colours = _rounded(curve(np.arange(256) / 255))[colours]
    return colours, alpha


def check_profile(icc: bytes | None, grey: bool, notes: list[str]) -> bytes | None:
    """Returns an ICC profile if it is for the pixels' colour space, else None."""
    if not icc or icc[16:20] == (b"GRAY" if grey else b"RGB "):
        return icc or None
    space = icc[16:20].decode("ascii", "replace").strip()
    kind = "grey" if grey else "RGB"
    notes.append(f"ICC profile for {space} dropped: the pixels are {kind}")
    return None


def _round_colours(
    image: Image.Image, raw: str, stream: BinaryIO, curve: Curve | None
) -> Image.Image:
    """Reduces 16-bit colours to 8 bits.

    Pillow returns the high bytes only. Read again in the other byte order, the file
    gives the low bytes.
    """
    low = Image.open(stream, formats=[str(image.format)])
    low.tile = [_with_raw_mode(tile, raw[:-1] + _SWAPPED[raw[-1]]) for tile in low.tile]
    low.load()
    turn_upright(low, [])
    table = np.arange(65536) / 65535
    curved = _rounded(curve(table) if curve else table)
    values = np.asarray(image).astype(np.uint16)
    values *= 256
    values += np.asarray(low)
    rounded = deep_grey.look_up(curved, values)
    if image.mode == "RGBA":
        rounded[..., 3] = deep_grey.look_up(_rounded(table), values[..., 3])
    result = Image.fromarray(rounded, image.mode)
    result.info = dict(image.info)
    if "transparency" in image.info:  # The transparent colour.
        clear = image.info["transparency"]
        result.info["transparency"] = tuple(int(curved[value]) for value in clear)
    return result


def _rounded(samples: np.ndarray) -> np.ndarray:
    """From samples in [0, 1] to uint8."""
    return np.floor(255 * samples + 0.5).astype(np.uint8)


def _with_raw_mode(tile: Any, raw: str) -> Any:
    args = raw if isinstance(tile.args, str) else (raw, *tile.args[1:])
    return tile._replace(args=args)


def _to_rgb(image: Image.Image, notes: list[str]) -> Image.Image:
    """Converts CMYK, LAB, HSV and YCbCr to RGB."""
    icc = image.info.pop("icc_profile", None)  # It would be wrong for RGB.
    if image.mode == "CMYK" and icc:
        try:
            rgb = _apply_profile(image, icc)
            notes.append("CMYK converted to sRGB by its ICC profile")
            return rgb
        except (ImageCms.PyCMSError, OSError):
            notes.append("ICC profile is damaged and was dropped")
    notes.append(f"{image.mode} converted to RGB")
    return image.convert("RGB")


def _apply_profile(image: Image.Image, icc: bytes) -> Image.Image:
    source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    return ImageCms.buildTransform(source, srgb, image.mode, "RGB").apply(image)


def _split(image: Image.Image, mode: str) -> tuple[np.ndarray, np.ndarray | None]:
    if not image.has_transparency_data:
        return _array(image, mode), None
    samples = _array(image, mode + "A")
    return samples[..., 0] if mode == "L" else samples[..., :3], samples[..., -1]


def _array(image: Image.Image, mode: str) -> np.ndarray:
    """The samples in another mode, row by row: at once would take thrice the memory."""
    shape = (image.height, image.width, *([len(mode)] if len(mode) > 1 else []))
    samples = np.empty(shape, np.uint8)
    for top in range(0, image.height, _ROWS):
        bottom = min(top + _ROWS, image.height)
        rows = image.crop((0, top, image.width, bottom))
        samples[top:bottom] = np.asarray(rows.convert(mode))
    return samples
