"""Compares one codec with others by the means over all images."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from tf_imgcomp.evaluation import curves
from tf_imgcomp.evaluation.curves import Curve, MeanPoint

_OF_INTEREST = 0.15, 1.0  # Rates for the margin, where both curves have them.


@dataclasses.dataclass(frozen=True)
class Comparison:
    """A codec against an anchor; None where their curves hardly overlap.

    Attributes:
        codec: Name of the codec.
        anchor: Name of the codec it is compared with.
        bd_rate_psnr: Bjøntegaard delta rate by PSNR in percent, negative is better.
        bd_rate_ms_ssim: The same by MS-SSIM in dB.
        bd_rate_ssimulacra2: The same by SSIMULACRA2.
        low: Lowest of the rates compared for the margin, in bits per pixel.
        high: Highest of these rates.
        margin: Smallest PSNR difference in dB over these rates; positive if the
            codec is above the anchor at every one of them.
        margin_bpp: The rate at which it is found.
    """

    codec: str
    anchor: str
    bd_rate_psnr: float | None
    bd_rate_ms_ssim: float | None
    bd_rate_ssimulacra2: float | None
    low: float | None
    high: float | None
    margin: float | None
    margin_bpp: float | None


def compare(
    means: Sequence[MeanPoint], codec: str, anchors: Sequence[str]
) -> list[Comparison]:
    """Compares a codec with each anchor.

    Args:
        means: Mean points of all these codecs over the same images.
        codec: Name of the codec.
        anchors: Names of the codecs to compare it with.
    """
    return [_compare(means, codec, anchor) for anchor in anchors]


def _compare(means: Sequence[MeanPoint], codec: str, anchor: str) -> Comparison:
    def bd_rate(quality: str) -> float | None:
        return _bd_rate(_curve(means, anchor, quality), _curve(means, codec, quality))

    psnr, anchor_psnr = _curve(means, codec, "psnr"), _curve(means, anchor, "psnr")
    (low, high), margin = _OF_INTEREST, None
    if psnr and anchor_psnr:
        low = max(low, psnr.bpp[0], anchor_psnr.bpp[0])
        high = min(high, psnr.bpp[-1], anchor_psnr.bpp[-1])
        if low < high:
            margin = curves.smallest_margin(psnr, anchor_psnr, low, high)
    return Comparison(
        codec=codec,
        anchor=anchor,
        bd_rate_psnr=bd_rate("psnr"),
        bd_rate_ms_ssim=bd_rate("ms_ssim_db"),
        bd_rate_ssimulacra2=bd_rate("ssimulacra2"),
        low=float(low) if margin else None,
        high=float(high) if margin else None,
        margin=margin.db if margin else None,
        margin_bpp=margin.bpp if margin else None,
    )


def _curve(means: Sequence[MeanPoint], codec: str, quality: str) -> Curve | None:
    points = [point for point in means if point.codec == codec]
    try:
        return curves.curve(
            [point.bpp for point in points],
            [getattr(point, quality) for point in points],
        )
    except ValueError:  # Too few points, as with a single quality.
        return None


def _bd_rate(anchor: Curve | None, test: Curve | None) -> float | None:
    if not anchor or not test:
        return None
    try:
        return curves.bd_rate(anchor, test)
    except ValueError:  # Hardly any quality in common.
        return None
