"""Colours in the header of a BMP, versions 4 and 5, which Pillow does not read.

A header of version 4 has the kind of its colours at byte 56, then x, y and z of red,
green and blue and the exponents of their curves. Version 5 adds the place and size of a
profile.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

from PIL import Image

_FILE_HEADER = 14  # Bytes; a DIB has none.
_VERSION_4, _VERSION_5 = 108, 124  # Sizes of the headers.
_CALIBRATED, _LINKED, _EMBEDDED = bytes(4), b"KNIL", b"DEBM"
_LARGEST_PROFILE = 2**24  # Bytes.
_LONGEST_NAME = 260  # Of a file, in Windows.


def read_profile(
    image: Image.Image, stream: BinaryIO, notes: list[str]
) -> bytes | None:
    """Returns the ICC profile in the file of an open BMP, None if there is none.

    A profile in another file is not read: a file must not choose what is opened.

    Args:
        image: An image that is open.
        stream: Its file.
        notes: Gets a line for a profile that is damaged or in another file.
    """
    start, header = _header(image, stream)
    kind = header[56:60]
    if len(header) < _VERSION_5 or kind not in (_LINKED, _EMBEDDED):
        return None
    place, size = struct.unpack_from("<II", header, 112)
    stream.seek(start + place)
    if kind == _LINKED:
        name = stream.read(min(size, _LONGEST_NAME)).split(b"\0")[0]
        notes.append(f"ICC profile in another file ignored: {name.decode('latin-1')}")
        return None
    profile = stream.read(min(size, _LARGEST_PROFILE))
    if len(profile) < size or profile[36:40] != b"acsp":
        notes.append("ICC profile is damaged and was dropped")
        return None
    return profile


def read_calibration(
    image: Image.Image, stream: BinaryIO
) -> tuple[list[float], list[float]] | None:
    """Returns the colours that the header of an open BMP describes.

    Returns:
        x and y of red, green and blue, and the exponents of their curves from samples
        to light; each empty if all of them are 0. None if the header describes none.
    """
    _, header = _header(image, stream)
    if len(header) < _VERSION_4 or header[56:60] != _CALIBRATED:
        return None
    xyz, exponents = struct.unpack_from("<9i", header, 60), header[96:108]
    sums = [sum(xyz[at : at + 3]) or 1 for at in (0, 3, 6)]
    xy = [xyz[3 * n + axis] / sums[n] for n in range(3) for axis in (0, 1)]
    gamma = [n / 2**16 for n in struct.unpack("<3I", exponents)]
    if not any(xyz) and not any(gamma):
        return None
    return xy if any(xyz) else [], gamma if any(gamma) else []


def _header(image: Image.Image, stream: BinaryIO) -> tuple[int, bytes]:
    """Where the header starts in the file, and its bytes as of its size."""
    start = 0 if image.format == "DIB" else _FILE_HEADER
    stream.seek(start)
    header = stream.read(_VERSION_5)
    return start, header[: int.from_bytes(header[:4], "little")]
