"""The header of a JPEG XL file (ISO/IEC 18181): what its decoder does not tell."""

from __future__ import annotations

from typing import BinaryIO

from tf_imgcomp.errors import ImageError
from tf_imgcomp.image_files.isobmff import file_boxes

_CODESTREAM = b"\xff\x0a"
SIGNATURES = (_CODESTREAM, b"\0\0\0\x0cJXL ")  # Alone, or in boxes.
_HEADER = 32  # Bytes that hold sizes and depth.
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))


def read_size(stream: BinaryIO) -> tuple[int, int]:
    """Returns width and height in pixels, in the order in which they are stored.

    Raises:
        ImageError: If the file holds no JPEG XL image.
    """
    return _read_size(_Bits(_codestream_header(stream)))


def read_depth(stream: BinaryIO) -> tuple[int, bool]:
    """Returns bits per sample, and whether the image is an animation.

    Raises:
        ImageError: If the file holds no JPEG XL image.
    """
    bits = _Bits(_codestream_header(stream))
    _read_size(bits)
    is_animation = False
    if bits.take(1):  # All fields have their defaults.
        return 8, is_animation
    if bits.take(1):  # There are fields besides depth and colours.
        bits.take(3)  # Orientation.
        if bits.take(1):
            _read_size(bits)  # Recommended for the screen.
        has_preview, is_animation = bits.take(1), bool(bits.take(1))
        if has_preview or is_animation:  # Their fields come before the depth.
            return 8, is_animation
    is_float = bits.take(1)
    depths = (32, 16, 24) if is_float else (8, 10, 12)
    choice = bits.take(2)
    return depths[choice] if choice < 3 else 1 + bits.take(6), is_animation


def _read_size(bits: _Bits) -> tuple[int, int]:
    if bits.take(1):  # Multiples of 8 pixels.
        height = 8 * (bits.take(5) + 1)
        ratio = bits.take(3)
        width = 0 if ratio else 8 * (bits.take(5) + 1)
    else:
        height = bits.take_size()
        ratio = bits.take(3)
        width = 0 if ratio else bits.take_size()
    if ratio:
        across, down = _RATIOS[ratio - 1]
        width = height * across // down
    return width, height


def read_box(stream: BinaryIO, kind: bytes) -> bytes | None:
    """Returns the content of the first box of a kind, None if there is none."""
    stream.seek(0)
    if stream.read(8) != SIGNATURES[1]:
        return None
    for found, start, size in file_boxes(stream):
        if found == kind:
            stream.seek(start)
            return stream.read(size)
    return None


def _codestream_header(stream: BinaryIO) -> bytes:
    """The first bytes of the codestream, without its signature."""
    stream.seek(0)
    header = stream.read(_HEADER)
    if not header.startswith(_CODESTREAM):
        header = b""
        for kind, start, _ in file_boxes(stream):
            if kind in (b"jxlc", b"jxlp"):
                # A part begins with its number.
                stream.seek(start + (4 if kind == b"jxlp" else 0))
                header = stream.read(_HEADER)
                break
    if len(header) < 14 or not header.startswith(_CODESTREAM):
        raise ImageError("damaged image: no JPEG XL codestream")
    return header[2:]


class _Bits:
    """Bits of some bytes, the least significant ones first."""

    def __init__(self, data: bytes):
        self._bits = int.from_bytes(data, "little")

    def take(self, count: int) -> int:
        value = self._bits & ((1 << count) - 1)
        self._bits >>= count
        return value

    def take_size(self) -> int:
        return 1 + self.take((9, 13, 18, 30)[self.take(2)])
