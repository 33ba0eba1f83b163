"""The gain of each part of a codec, from curves of variants with and without it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from tf_imgcomp.evaluation import curves, report
from tf_imgcomp.evaluation.curves import MeanPoint

RATE = 0.15  # Bits per pixel at which the source of the claims was measured.


@dataclasses.dataclass(frozen=True)
class Step:
    """The comparison of two variants that differ in one part.

    Attributes:
        part: The part, in words.
        variant: Name of the variant with it.
        against: Name of the one without.
        claim: The gain at `RATE` in dB that the source claims, or None.
    """

    part: str
    variant: str
    against: str
    claim: float | None = None


@dataclasses.dataclass(frozen=True)
class Gain:
    """The result of a step; None where the curves do not reach.

    Attributes:
        part: As in the step.
        variant: As in the step.
        against: As in the step.
        bd_psnr: Bjøntegaard delta PSNR in dB, over the rates that both have.
        gain: The gain in PSNR at `RATE`, in dB.
        claim: As in the step.
        decode_seconds: Mean seconds to decode an image, at the setting nearest `RATE`.
        against_decode_seconds: The same without the part.
    """

    part: str
    variant: str
    against: str
    bd_psnr: float | None
    gain: float | None
    claim: float | None
    decode_seconds: float
    against_decode_seconds: float


def gains(means: Sequence[MeanPoint], steps: Sequence[Step]) -> list[Gain]:
    """Returns the gain of each step whose two variants were measured.

    Args:
        means: Mean points of all variants over the same images; a point's `codec` is
            the variant's name. Those of a variant have two rising points or more.
        steps: The steps.
    """
    measured = {point.codec for point in means}
    return [
        _gain(means, step) for step in steps if {step.variant, step.against} <= measured
    ]


def _gain(means: Sequence[MeanPoint], step: Step) -> Gain:
    variant, against = (
        [point for point in means if point.codec == name]
        for name in (step.variant, step.against)
    )
    test, anchor = (
        curves.curve([point.bpp for point in points], [point.psnr for point in points])
        for points in (variant, against)
    )
    gain = float(test.quality_at(RATE) - anchor.quality_at(RATE))
    try:
        bd_psnr = curves.bd_psnr(anchor, test)
    except ValueError:  # No rate in common.
        bd_psnr = None
    return Gain(
        **dataclasses.asdict(step),
        bd_psnr=bd_psnr,
        gain=None if math.isnan(gain) else gain,
        decode_seconds=_decode_seconds(variant),
        against_decode_seconds=_decode_seconds(against),
    )


def _decode_seconds(points: Sequence[MeanPoint]) -> float:
    nearest = min(points, key=lambda point: abs(np.log(point.bpp / RATE)))
    return nearest.decode_seconds


def gains_table(rows: Sequence[Gain]) -> str:
    """Returns gains as a Markdown table."""
    return report.table(
        ["part", "variant", "against", "BD-PSNR", f"at {RATE} bpp", "claimed"]
        + ["decode, s", "without, s"],
        [
            [
                row.part,
                row.variant,
                row.against,
                *map(_decibels, (row.bd_psnr, row.gain, row.claim)),
                f"{row.decode_seconds:.3f}",
                f"{row.against_decode_seconds:.3f}",
            ]
            for row in rows
        ],
    )


def _decibels(value: float | None) -> str:
    return "" if value is None else f"{value:+.2f} dB"
