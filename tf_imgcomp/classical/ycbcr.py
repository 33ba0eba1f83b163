"""RGB to Y'CbCr planes of any bit depth and chroma sampling, and back.

    pixels ──► matrix ──► mean of 2x2 chroma ──► integers ──► planes of a video
    pixels ◄── matrix ◄── integers ◄── 8-tap chroma filter ◄─ planes of a video

FFmpeg's own conversion is not used: it loses several decibels (bilinear chroma, 8-bit
steps).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

# Weights of red and blue in luma: ITU-R BT.601, BT.709 and BT.2020.
MATRICES = {
    "bt601": (0.299, 0.114),
    "bt709": (0.2126, 0.0722),
    "bt2020": (0.2627, 0.0593),
}
# For each chroma sampling: height and width of the luma that one chroma sample covers.
STEPS = {"4:4:4": (1, 1), "4:2:2": (1, 2), "4:2:0": (2, 2)}
GREY = "4:0:0"

# Interpolation filters for the two positions that a chroma sample covers, in 64ths, on
# samples i - 4 to i + 3 and i - 3 to i + 4. The centre filters, rounded once, give the
# pixels of BPG's reference decoder. The left filter is HEVC's for half a sample
# (8.5.3.3.3): no reference file uses it.
_TAPS_CENTRE = ((0, 2, -6, 18, 57, -10, 4, -1), (-1, 4, -10, 57, 18, -6, 2, 0))
_TAPS_LEFT = ((0, 0, 0, 0, 64, 0, 0, 0), (-1, 4, -11, 40, 40, -11, 4, -1))


@dataclasses.dataclass(frozen=True)
class Layout:
    """Sample format of the planes of a picture.

    Attributes:
        chroma: "4:4:4", "4:2:2", "4:2:0", or "4:0:0" for luma alone.
        matrix: One of `MATRICES`.
        bits: Bit depth, 8 to 12.
        limited: Whether the range is limited: luma from 16 to 235 and chroma from 16
            to 240, times 2^(bits - 8).
        left: Whether a chroma sample lies on the left of the two columns that it
            covers, as in video, or between them.
    """

    chroma: str
    matrix: str = "bt601"
    bits: int = 8
    limited: bool = False
    left: bool = False

    @property
    def pixel_format(self) -> str:
        """FFmpeg's name of the pixel format."""
        depth = "" if self.bits == 8 else f"{self.bits}le"
        if self.chroma == GREY:
            return f"gray{depth}"
        return f"yuv{self.chroma.replace(':', '')}p{depth}"

    @property
    def dtype(self) -> np.dtype:
        """Type of a sample in raw video."""
        return np.dtype("<u1" if self.bits == 8 else "<u2")

    def shapes(self, height: int, width: int) -> list[tuple[int, int]]:
        """Returns the shape of each plane of a picture."""
        if self.chroma == GREY:
            return [(height, width)]
        rows, columns = STEPS[self.chroma]
        chroma = (-(-height // rows), -(-width // columns))
        return [(height, width), chroma, chroma]

    @property
    def _scales(self) -> tuple[float, float, float]:
        """Black, the span of luma, and the span of chroma."""
        if self.limited:
            step = 1 << (self.bits - 8)
            return 16 * step, 219 * step, 224 * step
        return 0, (1 << self.bits) - 1, (1 << self.bits) - 1


def from_rgb(pixels: np.ndarray, layout: Layout) -> list[np.ndarray]:
    """Returns the planes of a picture.

    Args:
        pixels: uint8 `(h, w, 3)`. Height and width must be multiples of
            `STEPS[layout.chroma]`.
        layout: Layout of the planes, not grey; chroma between the columns.

    Returns:
        Y, Cb and Cr of the layout's type and shapes.
    """
    red_weight, blue_weight = MATRICES[layout.matrix]
    red, green, blue = np.moveaxis(pixels.astype(np.float32) / 255, -1, 0)
    y = red_weight * red + blue_weight * blue + (1 - red_weight - blue_weight) * green
    cb = (blue - y) / (2 * (1 - blue_weight))
    cr = (red - y) / (2 * (1 - red_weight))
    black, luma_span, chroma_span = layout._scales
    middle = 1 << (layout.bits - 1)
    samples = [y * luma_span + black]
    samples += [_reduce(plane, layout) * chroma_span + middle for plane in (cb, cr)]
    top = (1 << layout.bits) - 1
    return [np.clip(np.rint(s), 0, top).astype(layout.dtype) for s in samples]


def _reduce(plane: np.ndarray, layout: Layout) -> np.ndarray:
    """Averages a plane over the area of each chroma sample."""
    rows, columns = STEPS[layout.chroma]
    height, width = plane.shape
    blocks = plane.reshape(height // rows, rows, width // columns, columns)
    return blocks.mean(axis=(1, 3))


def to_rgb(planes: Sequence[np.ndarray], layout: Layout) -> np.ndarray:
    """Returns the uint8 RGB pixels `(h, w, 3)` of planes; `h` and `w` are luma's."""
    black, luma_span, chroma_span = layout._scales
    y = (planes[0].astype(np.float32) - black) / luma_span
    if layout.chroma == GREY:
        rgb = np.repeat(y[..., None], 3, axis=-1)
    else:
        middle = 1 << (layout.bits - 1)
        cb, cr = (
            (_enlarge(plane, y.shape, layout).astype(np.float32) - middle) / chroma_span
            for plane in planes[1:]
        )
        red_weight, blue_weight = MATRICES[layout.matrix]
        red = y + 2 * (1 - red_weight) * cr
        blue = y + 2 * (1 - blue_weight) * cb
        green = (y - red_weight * red - blue_weight * blue) / (
            1 - red_weight - blue_weight
        )
        rgb = np.stack([red, green, blue], axis=-1)
    return np.clip(np.rint(rgb * 255), 0, 255).astype(np.uint8)


def _enlarge(plane: np.ndarray, shape: tuple[int, ...], layout: Layout) -> np.ndarray:
    """Interpolates chroma to int32 `shape`, rounded once."""
    rows, columns = STEPS[layout.chroma]
    plane, scale = plane.astype(np.int32), 1
    if rows == 2:
        plane, scale = _double(plane, _TAPS_CENTRE), 64 * scale
    if columns == 2:
        taps = _TAPS_LEFT if layout.left else _TAPS_CENTRE
        plane, scale = _double(plane.T, taps).T, 64 * scale
    plane = (plane[: shape[0], : shape[1]] + scale // 2) // scale
    return np.clip(plane, 0, (1 << layout.bits) - 1)


def _double(plane: np.ndarray, taps: tuple[tuple[int, ...], ...]) -> np.ndarray:
    """Doubles the number of rows; values are multiplied by 64."""
    height = plane.shape[0]
    padded = np.pad(plane, ((4, 4), (0, 0)), "edge")
    doubled = np.zeros((2 * height, plane.shape[1]), np.int32)
    for phase in (0, 1):
        for start, tap in enumerate(taps[phase], start=phase):
            doubled[phase::2] += tap * padded[start : start + height]
    return doubled
