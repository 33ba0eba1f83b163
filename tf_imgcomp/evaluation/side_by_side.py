"""A picture of a photo, its reconstructions by several codecs, and their errors.

| original | our reconstruction | JPEG  | JPEG 2000 | .. |
| map      | our error          | error | error     | .. |
"""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tf_imgcomp import metrics

_PANEL_INCHES = 4.0
_DPI = 200  # A photo of up to 800 pixels is shown as it is.
_LABEL_INCHES = 0.8
_RATIOS = 0.3, 3.0  # Of a panel's height to its width, however long the photo is.
_PERCENTILE = 99.5  # Of all errors; shown in the brightest colour.


@dataclasses.dataclass(frozen=True)
class Figures:
    """The figures of one reconstruction.

    Attributes:
        codec: Name of the codec.
        setting: The setting it was used at, a quality, a QP or a rate.
        num_bytes: Size of the file.
        bpp: The same in bits per pixel.
        psnr: RGB PSNR in dB; infinite if nothing was lost.
        ssim: SSIM at full resolution.
        ms_ssim: MS-SSIM.
        ssimulacra2: SSIMULACRA2; NaN for a small image.
    """

    codec: str
    setting: float
    num_bytes: int
    bpp: float
    psnr: float
    ssim: float
    ms_ssim: float
    ssimulacra2: float


@dataclasses.dataclass(frozen=True)
class Reconstruction:
    """A photo decoded by one codec.

    Attributes:
        title: Name of the codec for people.
        pixels: uint8 `(h, w, 3)`.
        figures: Its numbers.
    """

    title: str
    pixels: np.ndarray
    figures: Figures


@dataclasses.dataclass(frozen=True)
class PositionMap:
    """A number for each square of pixels, from the photo's upper left corner on.

    Attributes:
        title: Name of the numbers, for people.
        values: float32 `(rows, columns)`. They may go beyond the photo.
        side: Of a square, in pixels.
    """

    title: str
    values: np.ndarray
    side: int


def measure(
    codec: str, setting: float, num_bytes: int, x: np.ndarray, x_hat: np.ndarray
) -> Figures:
    """Returns the figures of a reconstruction, both uint8 `(h, w, 3)`."""
    return Figures(
        codec=codec,
        setting=setting,
        num_bytes=num_bytes,
        bpp=metrics.bpp(num_bytes, *x.shape[:2]),
        psnr=metrics.psnr(x, x_hat),
        ssim=metrics.ssim(x, x_hat),
        ms_ssim=metrics.ms_ssim(x, x_hat),
        ssimulacra2=metrics.ssimulacra2(x, x_hat),
    )


def draw(
    x: np.ndarray,
    reconstructions: Sequence[Reconstruction],
    position_map: PositionMap | None,
    file_format: str,
) -> bytes:
    """Returns the picture as a file.

    The error of a pixel is its mean absolute difference over the channels, in grey
    levels. All errors share one scale.

    Args:
        x: uint8 `(h, w, 3)`, the photo.
        reconstructions: One or more, of the photo's size.
        position_map: Shown below the photo; None for an empty panel.
        file_format: "png" or "pdf".
    """
    height, width = x.shape[:2]
    ratio = min(max(height / width, _RATIOS[0]), _RATIOS[1])
    rows = 2 * (_PANEL_INCHES * ratio + _LABEL_INCHES)
    size = _PANEL_INCHES * (1 + len(reconstructions)) + 1, rows
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(2, 1 + len(reconstructions))
    axes[0, 0].imshow(x)
    axes[0, 0].set_title(f"original\n{width}x{height}")
    if position_map is None:
        axes[1, 0].set_axis_off()
    else:
        _draw_map(axes[1, 0], position_map, height, width)
    for panel, reconstruction in zip(axes[0, 1:], reconstructions):
        panel.imshow(reconstruction.pixels)
        panel.set_title(_title(reconstruction))
    errors = [_error(x, each.pixels) for each in reconstructions]
    # At least one grey level: errors of rounding look small, and zeros have a scale.
    brightest = max(np.percentile(errors, _PERCENTILE), 1.0)
    for panel, error in zip(axes[1, 1:], errors):
        image = panel.imshow(error, cmap="inferno", vmin=0, vmax=brightest)
        panel.set_title(f"error, {error.mean():.2f} grey levels on average")
    figure.colorbar(image, ax=axes[1, 1:], label="error, grey levels", extend="max")
    for panel in axes.flat:
        panel.set(xticks=[], yticks=[])
    stream = io.BytesIO()
    figure.savefig(stream, format=file_format, dpi=_DPI)
    return stream.getvalue()


def _draw_map(panel: Axes, position_map: PositionMap, height: int, width: int) -> None:
    rows, columns = position_map.values.shape
    extent = (
        -0.5,
        columns * position_map.side - 0.5,
        rows * position_map.side - 0.5,
        -0.5,
    )
    panel.imshow(position_map.values, cmap="viridis", extent=extent)
    panel.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
    low, high = position_map.values.min(), position_map.values.max()
    panel.set_title(f"{position_map.title}\n{low:.2f} (dark) to {high:.2f} (bright)")


def _title(reconstruction: Reconstruction) -> str:
    figures = reconstruction.figures
    return (
        f"{reconstruction.title} at {figures.setting:.4g}\n"
        f"{figures.num_bytes:,} bytes, {figures.bpp:.3f} bpp\n"
        f"PSNR {figures.psnr:.2f} dB, SSIM {figures.ssim:.4f}"
    )


def _error(x: np.ndarray, x_hat: np.ndarray) -> np.ndarray:
    return np.abs(x.astype(np.int16) - x_hat).mean(axis=-1, dtype=np.float32)
