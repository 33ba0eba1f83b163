"""Codes the planes of one picture with FFmpeg's video codecs, as raw video."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tf_imgcomp.classical import ffmpeg
from tf_imgcomp.classical.ycbcr import Layout
from tf_imgcomp.errors import ClassicalCodecError
from tf_imgcomp.size_limits import check_memory

_BYTES_PER_PIXEL = 64  # Peak memory of decoding and colour conversion.
_MARGIN = 128  # Pixels by which a decoder may enlarge a picture internally.


def pad(pixels: np.ndarray, multiple: int, least: int) -> np.ndarray:
    """Repeats the last row and column up to a size that a codec accepts.

    Args:
        pixels: uint8 `(h, w, 3)`.
        multiple: The padded height and width are multiples of it.
        least: Smallest padded height and width.
    """
    height, width = (padded(size, multiple, least) for size in pixels.shape[:2])
    missing = ((0, height - pixels.shape[0]), (0, width - pixels.shape[1]), (0, 0))
    return np.pad(pixels, missing, "edge")


def padded(size: int, multiple: int, least: int) -> int:
    """Returns a height or width after padding."""
    return max(-(-size // multiple) * multiple, least)


def encode(
    planes: Sequence[np.ndarray], layout: Layout, options: Sequence[str], format_: str
) -> bytes:
    """Returns the stream of one picture.

    Args:
        planes: Planes of the picture, from `ycbcr.from_rgb`.
        layout: Layout of the planes.
        options: FFmpeg's options that name and configure the encoder.
        format_: FFmpeg's name of the raw stream.

    Raises:
        ClassicalCodecError: If encoding fails.
    """
    height, width = planes[0].shape
    picture = ["-pix_fmt", layout.pixel_format, "-s", f"{width}x{height}"]
    return ffmpeg.run(
        ["-f", "rawvideo", *picture, "-i", "-", "-frames:v", "1"]
        + [*options, "-f", format_, "-"],
        b"".join(plane.tobytes() for plane in planes),
        ffmpeg.time_limit(height, width),
    )


def decode(
    stream: bytes, layout: Layout, height: int, width: int, format_: str
) -> list[np.ndarray]:
    """Returns the planes of the picture in a stream.

    Args:
        stream: The stream.
        layout: Layout of its planes.
        height: Height of the coded picture, which the stream must have.
        width: Width of the coded picture.
        format_: FFmpeg's name of the raw stream.

    Raises:
        ClassicalCodecError: If decoding fails or gives a picture of another size.
        ImageError: If the picture needs more memory than is available.
    """
    check_memory(height, width, height * width * _BYTES_PER_PIXEL)
    data = ffmpeg.run(
        # FFmpeg refuses a larger picture before it allocates memory for it.
        ["-max_pixels", f"{(height + _MARGIN) * (width + _MARGIN)}"]
        + ["-f", format_, "-i", "-"]
        + ["-frames:v", "1", "-f", "rawvideo", "-pix_fmt", layout.pixel_format, "-"],
        stream,
        ffmpeg.time_limit(height, width),
    )
    samples = np.frombuffer(data, layout.dtype)
    shapes = layout.shapes(height, width)
    sizes = [rows * columns for rows, columns in shapes]
    if samples.size != sum(sizes):
        raise ClassicalCodecError(
            f"the stream holds a picture of another size than {width} x {height}"
        )
    planes = np.split(samples, np.cumsum(sizes)[:-1])
    return [plane.reshape(shape) for plane, shape in zip(planes, shapes)]


def crop(
    planes: Sequence[np.ndarray], layout: Layout, height: int, width: int
) -> list[np.ndarray]:
    """Removes the padding."""
    shapes = layout.shapes(height, width)
    return [p[:rows, :columns] for p, (rows, columns) in zip(planes, shapes)]
