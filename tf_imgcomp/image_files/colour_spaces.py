"""Colour spaces that files name by numbers, in place of an ICC profile.

PNG: cICP, gAMA, cHRM ─┐                  ┌─► ICC profile of the pixels
AVIF, HEIC: nclx ──────┤                  │
ICC profile in PQ, HLG ┼─► ColourSpace ───┤
TIFF, BMP: own fields ─┘                  └─► curve, for pixels to be converted
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image

from tf_imgcomp.image_files import bmp, icc, isobmff, png, tiff, transfer
from tf_imgcomp.image_files.transfer import Curve, Parametric

_D65, _C = (0.3127, 0.329), (0.31, 0.316)
# By code point (ITU-T H.273): name, white, red, green, blue.
_PRIMARIES = {
    1: ("BT.709", _D65, (0.64, 0.33), (0.3, 0.6), (0.15, 0.06)),
    4: ("BT.470 M", _C, (0.67, 0.33), (0.21, 0.71), (0.14, 0.08)),
    5: ("BT.470 BG", _D65, (0.64, 0.33), (0.29, 0.6), (0.15, 0.06)),
    6: ("BT.601", _D65, (0.63, 0.34), (0.31, 0.595), (0.155, 0.07)),
    7: ("SMPTE 240M", _D65, (0.63, 0.34), (0.31, 0.595), (0.155, 0.07)),
    8: ("film", _C, (0.681, 0.319), (0.243, 0.692), (0.145, 0.049)),
    9: ("BT.2020", _D65, (0.708, 0.292), (0.17, 0.797), (0.131, 0.046)),
    10: ("XYZ", (1 / 3, 1 / 3), (1.0, 0.0), (0.0, 1.0), (0.0, 0.0)),
    11: ("DCI P3", (0.314, 0.351), (0.68, 0.32), (0.265, 0.69), (0.15, 0.06)),
    12: ("Display P3", _D65, (0.68, 0.32), (0.265, 0.69), (0.15, 0.06)),
    22: ("EBU 3213", _D65, (0.63, 0.34), (0.295, 0.605), (0.155, 0.077)),
}
# Others are taken as sRGB's.
_CURVES = {
    **dict.fromkeys((1, 6, 11, 12, 14, 15), transfer.BT709),
    4: Parametric(2.2),
    5: Parametric(2.8),
    7: transfer.SMPTE240,
    8: transfer.LINEAR,
    17: Parametric(2.6),
}
_HDR = {16: ("PQ", transfer.pq_to_linear), 18: ("HLG", transfer.hlg_to_linear)}
_NOT_RGB = ("CMYK", "LAB")  # Modes whose samples are not those of a display.
_QOI_COLOURS = 13  # Place of the byte in a QOI.
_OF_PNG = {"srgb", "gamma", "chromaticity"}  # Pillow's keys; copies keep them.
_CLOSE = 1e-3  # Largest difference of a table from its curve.
_FLAT = 1.5  # Below this exponent, 8 bits are too coarse for dark colours.


@dataclass(frozen=True)
class ColourSpace:
    """A colour space of RGB, or of grey.

    Attributes:
        name: for people.
        white: x and y of white.
        primaries: x and y of red, green and blue.
        curve: its transfer function.
        hdr: name and function to linear light of a transfer function of high dynamic
            range, in place of `curve`.
    """

    name: str
    white: tuple[float, float]
    primaries: tuple[tuple[float, float], ...]
    curve: Parametric = transfer.SRGB
    hdr: tuple[str, Curve] | None = None

    def conversion(self) -> tuple[Curve | None, str]:
        """How samples get the curve of sRGB, if 8 bits cannot hold them otherwise.

        Returns:
            A function of samples in [0, 1], or None; and a note for the user.
        """
        if self.hdr:
            name, to_linear = self.hdr
            note = f"high dynamic range ({name}) reduced to the range of sRGB"
        elif self.curve.g < _FLAT:
            to_linear, note = (
                self.curve.to_linear,
                "linear light converted to sRGB's curve",
            )
        else:
            return None, ""
        return lambda samples: transfer.to_srgb_curve(to_linear(samples)), note

    def profile(self, *, grey: bool) -> bytes | None:
        """The ICC profile of the converted pixels, None for sRGB.

        Raises:
            ValueError: If the primaries do not span a colour space.
        """
        converted = self.conversion()[0] is not None
        curve = transfer.SRGB if converted else self.curve
        if curve == transfer.SRGB and (grey or self.has_primaries_of_srgb()):
            return None
        return icc.make_profile(self.name, self.white, self.primaries, curve, grey=grey)

    def has_primaries_of_srgb(self) -> bool:
        _, white, *primaries = _PRIMARIES[1]
        ours = np.array([self.white, *self.primaries])
        return bool(np.abs(ours - [white, *primaries]).max() < 0.002)


_ADOBE_RGB = ColourSpace(
    "Adobe RGB (1998)",
    _D65,
    ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)),
    Parametric(563 / 256),
)


def read_colour_space(
    image: Image.Image, stream: BinaryIO, notes: list[str]
) -> ColourSpace | None:
    """Returns the colour space that a file names by numbers, None if it names none.

    An ICC profile takes precedence over all but cICP of a PNG. It stays as it is, and
    None is returned, if 8 bits can hold its samples.

    Args:
        image: An image that is open.
        stream: Its file.
        notes: Gets a line if the file names colours that are ignored.
    """
    if image.format == "PNG" and (points := _cicp(stream)):
        return _of_code_points(*points)
    if profile := image.info.get("icc_profile"):
        return _of_profile(profile)
    if _OF_PNG & image.info.keys():
        return None if "srgb" in image.info else _of_png(image.info)
    if image.format == "TIFF" and (space := _of_tiff(image, notes)):
        return space
    if image.format == "QOI":
        stream.seek(_QOI_COLOURS)
        if stream.read(1) == b"\1":
            # Pillow marks sRGB like this, too, unless told otherwise.
            notes.append("marked as linear light, read as sRGB")
        return None
    if image.format in ("BMP", "DIB"):
        return _of_bmp(image, stream, notes)
    if image.format == "AVIF":
        colour = isobmff.read_properties(stream).colour
        return _of_code_points(*colour) if colour else None
    if nclx := image.info.get("nclx_profile"):  # Of pillow-heif.
        return _of_code_points(
            nclx["color_primaries"], nclx["transfer_characteristics"]
        )
    return _ADOBE_RGB if image.format != "PNG" and _says_adobe_rgb(image) else None


def _of_code_points(primaries: int, curve: int) -> ColourSpace:
    name, white, *rgb = _PRIMARIES.get(primaries, _PRIMARIES[1])
    parametric = _CURVES.get(curve, transfer.SRGB)
    return ColourSpace(name, white, tuple(rgb), parametric, _HDR.get(curve))


def _of_profile(profile: bytes) -> ColourSpace | None:
    """The space of a profile, if 8 bits cannot hold its samples without a conversion.

    The profile has code points, or the curve as a table. Decoders of JPEG XL write
    either.
    """
    if profile[16:20] not in (b"RGB ", b"GRAY"):
        return None
    points = icc.read_code_points(profile)
    space = _of_code_points(*points) if points else _of_table(profile)
    return space if space and space.conversion()[0] else None


def _of_table(profile: bytes) -> ColourSpace | None:
    """The space of a profile whose table is the curve of a high dynamic range."""
    table = icc.read_table(profile)
    if table is None:
        return None
    v = np.linspace(0, 1, len(table))
    for code_point, curve in ((16, transfer.pq), (18, transfer.hlg)):
        if np.abs(curve(v) - table).max() < _CLOSE:
            xy = icc.read_primaries(profile)
            return _measured("converted from HDR", xy, transfer.SRGB, _HDR[code_point])
    return None


def _of_png(info: dict) -> ColourSpace | None:
    """From the chunks gAMA and cHRM."""
    gamma, xy = info.get("gamma"), info.get("chromaticity")
    if not gamma and not xy:
        return None
    curve = Parametric(1 / gamma) if gamma else transfer.SRGB
    return _measured("PNG gAMA, cHRM", xy, curve)


def _of_tiff(image: Image.Image, notes: list[str]) -> ColourSpace | None:
    """From the tags WhitePoint, PrimaryChromaticities and TransferFunction."""
    tags = tiff.read_colours(image)
    usable = {} if image.mode in _NOT_RGB else tags
    xy = [*usable.get("WhitePoint", ()), *usable.get("PrimaryChromaticities", ())]
    if len(xy) == 8:
        del tags["WhitePoint"], tags["PrimaryChromaticities"]
    curve = transfer.fitted(usable.get("TransferFunction", ()))
    if curve:
        del tags["TransferFunction"]
    if tags:
        notes.append(f"{', '.join(tags)} ignored")
    if len(xy) != 8 and not curve:
        return None
    return _measured("TIFF", xy if len(xy) == 8 else None, curve or transfer.SRGB)


def _of_bmp(
    image: Image.Image, stream: BinaryIO, notes: list[str]
) -> ColourSpace | None:
    """From the header. It has no white: browsers take that of sRGB."""
    calibration = bmp.read_calibration(image, stream)
    if calibration is None:
        return None
    primaries, exponents = calibration
    curve = transfer.SRGB
    if exponents and max(exponents) > min(exponents) + 0.005:
        notes.append("different curves of red, green and blue ignored")
    elif exponents:
        # No screen has an exponent below 1: the file holds the inverse, as PNG does.
        curve = Parametric(max(max(exponents), 1 / max(exponents)))
    return _measured("BMP", [*_D65, *primaries] if primaries else None, curve)


def _measured(
    name: str,
    xy: Sequence[float] | None,
    curve: Parametric,
    hdr: tuple[str, Curve] | None = None,
) -> ColourSpace | None:
    """The space of a curve, and of x and y of white, red, green and blue, if any."""
    _, white, *rgb = _PRIMARIES[1]
    if xy:
        white, *rgb = zip(xy[::2], xy[1::2])
    space = ColourSpace(name, white, tuple(rgb), curve, hdr)
    # Files named sRGB by an exponent of 2.2 before it had a name.
    is_srgb = abs(curve.g - 2.2) < 0.005 and space.has_primaries_of_srgb()
    return None if is_srgb else space


def _cicp(stream: BinaryIO) -> tuple[int, int] | None:
    """Code points in a PNG's chunk cICP, which Pillow does not read."""
    with contextlib.closing(png.chunks(stream)) as chunks:
        for kind, length in chunks:
            if kind == b"IDAT":
                return None
            if kind == b"cICP" and length == 4:
                primaries, curve, matrix, full_range = stream.read(4).ljust(4, b"\0")
                return None if matrix or not full_range else (primaries, curve)
    return None


def _says_adobe_rgb(image: Image.Image) -> bool:
    """Whether the EXIF names Adobe RGB, as cameras do (DCF 2.0, "optional colour")."""
    try:
        tags = image.getexif().get_ifd(ExifTags.IFD.Interop)
        index = tags.get(ExifTags.Interop.InteropIndex)
        return isinstance(index, str) and index.startswith("R03")
    except (SyntaxError, ValueError, KeyError, AttributeError, struct.error):
        return False  # Whoever reads the EXIF says that it is damaged.
