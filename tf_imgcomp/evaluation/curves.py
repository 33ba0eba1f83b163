"""Rate-distortion curves and how they compare."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import NamedTuple

import bjontegaard
import numpy as np
from scipy.interpolate import PchipInterpolator

from tf_imgcomp import metrics
from tf_imgcomp.evaluation.points import Point

_INTERPOLATION = {
    # Piecewise cubic, monotone between the points; JVET's choice too.
    "method": "pchip",
    "require_matching_points": False,
    "min_overlap": 0,
}
_MIN_POINTS = 2
_MIN_OVERLAP = 1.0  # dB, or points of a score. A BD-rate over less says little.


@dataclasses.dataclass(frozen=True)
class MeanPoint:
    """Means over all images at one setting.

    Attributes:
        codec: Name of the codec.
        setting: The setting.
        num_images: Number of images.
        bpp: Mean of the images' bits per pixel.
        psnr: Mean of the images' PSNR in dB.
        ms_ssim: Mean of the images' MS-SSIM.
        ms_ssim_db: The mean MS-SSIM in dB (not the mean of the images' decibels:
            publications give the mean MS-SSIM).
        ssimulacra2: Mean of the images' SSIMULACRA2; NaN if one has none.
        encode_seconds: Mean time to encode an image.
        decode_seconds: Mean time to decode an image.
    """

    codec: str
    setting: float
    num_images: int
    bpp: float
    psnr: float
    ms_ssim: float
    ms_ssim_db: float
    ssimulacra2: float
    encode_seconds: float
    decode_seconds: float


def mean_points(points: Iterable[Point]) -> list[MeanPoint]:
    """Averages over images, keeping the order in which codecs and settings came."""
    groups: dict[tuple[str, float], list[Point]] = {}
    for point in points:
        groups.setdefault((point.codec, point.setting), []).append(point)
    return [_mean_point(*key, group) for key, group in groups.items()]


def _mean_point(codec: str, setting: float, points: list[Point]) -> MeanPoint:
    def mean(field: str) -> float:
        return float(np.mean([getattr(point, field) for point in points]))

    return MeanPoint(
        codec=codec,
        setting=setting,
        num_images=len(points),
        bpp=mean("bpp"),
        psnr=mean("psnr"),
        ms_ssim=mean("ms_ssim"),
        ms_ssim_db=metrics.ms_ssim_db(mean("ms_ssim")),
        ssimulacra2=mean("ssimulacra2"),
        encode_seconds=mean("encode_seconds"),
        decode_seconds=mean("decode_seconds"),
    )


class Curve(NamedTuple):
    """Quality over rate, both strictly increasing, both float64 `(n,)`.

    Attributes:
        bpp: Rates in bits per pixel.
        quality: Quality at each rate: PSNR or MS-SSIM in dB, or SSIMULACRA2.
    """

    bpp: np.ndarray
    quality: np.ndarray

    def quality_at(self, bpp: np.ndarray | float) -> np.ndarray:
        """Interpolates over the logarithm of the rate; NaN outside of the curve."""
        curve = PchipInterpolator(np.log(self.bpp), self.quality, extrapolate=False)
        return curve(np.log(bpp))


def curve(rates: Iterable[float], qualities: Iterable[float]) -> Curve:
    """Joins points to a curve.

    A point is left out if another one costs less and is not worse, or if its quality is
    infinite or unknown.

    Args:
        rates: Bits per pixel of each point, > 0.
        qualities: Quality of each point, in dB or as a score.

    Raises:
        ValueError: If fewer than two points are left.
    """
    kept: list[tuple[float, float]] = []
    for rate, quality in sorted(zip(rates, qualities)):
        if not np.isfinite(quality) or (kept and quality <= kept[-1][1]):
            continue
        if kept and rate == kept[-1][0]:
            kept.pop()
        kept.append((rate, quality))
    if len(kept) < _MIN_POINTS:
        raise ValueError(
            f"Expected at least {_MIN_POINTS} points of rising rate and quality, "
            f"received {len(kept)}."
        )
    return Curve(*np.array(kept, np.float64).T)


def bd_rate(anchor: Curve, test: Curve) -> float:
    """Returns the Bjøntegaard delta rate of `test` against `anchor` in percent.

    Negative means that `test` needs fewer bits for the same quality. It is taken
    over the qualities that both curves reach, by the `bjontegaard` package with
    piecewise cubic (`pchip`) interpolation over the logarithm of the rate.

    Raises:
        ValueError: If the qualities that both curves reach span less than 1 dB, or 1
            point of a score.
    """
    low = max(anchor.quality[0], test.quality[0])
    high = min(anchor.quality[-1], test.quality[-1])
    if high - low < _MIN_OVERLAP:
        raise ValueError(
            f"Expected two curves with {_MIN_OVERLAP:g} dB or point in common, "
            f"received {_span(anchor.quality)} and {_span(test.quality)}."
        )
    percent = bjontegaard.bd_rate(*anchor, *test, **_INTERPOLATION)
    return float(percent)


def bd_psnr(anchor: Curve, test: Curve) -> float:
    """Returns the Bjøntegaard delta PSNR of `test` against `anchor` in dB.

    Positive means that `test` is better at the same rate. It is taken over the rates
    that both curves have, interpolated as for `bd_rate`.

    Raises:
        ValueError: If they have no rates in common.
    """
    if max(anchor.bpp[0], test.bpp[0]) >= min(anchor.bpp[-1], test.bpp[-1]):
        raise ValueError(
            "Expected two curves with rates in common, received "
            f"{_span(anchor.bpp)} bpp and {_span(test.bpp)} bpp."
        )
    return float(bjontegaard.bd_psnr(*anchor, *test, **_INTERPOLATION))


class Margin(NamedTuple):
    """The smallest difference between two curves, and its rate.

    Attributes:
        db: Smallest difference in dB; positive if the curve is above everywhere.
        bpp: The rate at which it is found.
    """

    db: float
    bpp: float


def smallest_margin(upper: Curve, lower: Curve, low: float, high: float) -> Margin:
    """Returns by how much `upper` is above `lower` at every rate in `[low, high]`.

    Args:
        upper: The curve that should be above.
        lower: The curve that should be below.
        low: Lowest rate in bits per pixel, > 0.
        high: Highest rate in bits per pixel, > `low`.

    Raises:
        ValueError: If a curve does not cover the rates.
    """
    for name, rates in (("first", upper.bpp), ("second", lower.bpp)):
        if not rates[0] <= low < high <= rates[-1]:
            raise ValueError(
                f"Expected curves that cover {low:.4g} to {high:.4g} bpp, received "
                f"{_span(rates)} bpp for the {name} one."
            )
    rates = np.geomspace(low, high, 1001)
    # geomspace may overshoot the ends by a rounding error, where a curve is NaN.
    rates = np.clip(rates, low, high)
    margins = upper.quality_at(rates) - lower.quality_at(rates)
    at = int(np.argmin(margins))
    return Margin(float(margins[at]), float(rates[at]))


def _span(values: np.ndarray) -> str:
    return f"{values[0]:.4g} to {values[-1]:.4g}"
