"""Finds the quality at which a file has a given size or PSNR."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from tf_imgcomp.image_codecs.interface import ImageCodec

MAX_TRIALS = 10

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Trial:
    """One measurement.

    Attributes:
        quality: float in [1, 100], a multiple of 0.01.
        value: float that grows with quality, at best linearly.
        result: Any other result of the measurement.
    """

    quality: float
    value: float
    result: Any


def bracket(
    measure: Callable[[float], tuple[float, Any]], target: float
) -> tuple[Trial | None, Trial | None]:
    """Brackets a target between two measured qualities in [1, 100].

    Size and PSNR usually grow with quality, but not strictly, so both results are
    measured, not interpolated. The next quality is interpolated (regula falsi). If one
    end stays twice, its weight is halved, so that the search does not converge from one
    side only (the Illinois method).

    Args:
        measure: Returns value and result of a quality, a multiple of 0.01. It is
            called at most `MAX_TRIALS` times.
        target: float, in the unit of `Trial.value`.

    Returns:
        The trial of the highest quality found with `value <= target`, None if that
        of quality 1 is above; and the trial of the lowest quality found with
        `value > target`, None if that of quality 100 is not above.
    """

    def trial_at(quality: float) -> Trial:
        return Trial(quality, *measure(quality))

    low = trial_at(1.0)
    if low.value > target:
        return None, low
    high = trial_at(100.0)
    if high.value <= target:
        return high, None
    below, above = target - low.value, high.value - target
    last = None
    for _ in range(MAX_TRIALS - 2):
        steps = round(100 * (high.quality - low.quality))
        if steps == 1:
            break
        step = min(max(round(steps * below / (below + above)), 1), steps - 1)
        trial = trial_at(round(low.quality + step / 100, 2))
        if trial.value <= target:
            above /= 2 if last is low else 1
            low, below = trial, target - trial.value
        else:
            below /= 2 if last is high else 1
            high, above = trial, trial.value - target
        last = trial
    return low, high


def cached_by_setting(
    codec: ImageCodec, measure: Callable[[float], _Result]
) -> Callable[[float], _Result]:
    """Caches trials by codec setting."""
    results: dict[float, _Result] = {}

    def cached(quality: float) -> _Result:
        setting = codec.setting(quality)
        if setting not in results:
            results[setting] = measure(quality)
        return results[setting]

    return cached
