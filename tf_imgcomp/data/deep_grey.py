"""Reduces grey samples of more than 8 bits, and floating-point ones, to 8 bits.

They are scaled by the depth that the file declares. Where that would show nothing, they
are stretched, with a note of the range.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, TiffImagePlugin

from tf_imgcomp.data.transfer import Curve
from tf_imgcomp.errors import ImageError

MODES = {"I", "I;16", "I;16B", "I;16L", "I;16N", "F"}

_WHITE_IS_ZERO = 0
_TAIL = 0.1  # Percent of the samples at each end that may be outliers.


def reduced(bits: int) -> str:
    """The note for samples of more than 8 bits."""
    return f"{bits}-bit samples reduced to 8 bits"


def to_eight_bits(
    image: Image.Image, raw: str, notes: list[str], curve: Curve | None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Returns the samples of an image of one of the `MODES`, and its transparency.

    Args:
        image: A loaded image that is upright.
        raw: Its `samples.raw_mode`.
        notes: Gets a line for everything that is lost.
        curve: Function to apply to samples in [0, 1]. None: identity.

    Returns:
        uint8 `(h, w)`; and the transparency, uint8 `(h, w)`, or None.

    Raises:
        ImageError: If no sample is a number.
    """
    samples = np.asarray(image)
    if raw == "I;32N":  # Pillow takes them as signed.
        samples = samples.view(np.uint32)
    values = samples.astype(np.float64)
    if image.mode == "F":
        low, high = _float_range(values, notes)
    else:
        low, high = _integer_range(values, raw, notes)
    scaled = np.clip((values - low) / (high - low), 0, 1)
    if _tag(image, TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == _WHITE_IS_ZERO:
        scaled = 1 - scaled
    if curve:
        scaled = curve(scaled)
    transparent = image.info.get("transparency")
    alpha = None
    if isinstance(transparent, int):
        alpha = np.where(samples == transparent, 0, 255).astype(np.uint8)
    return np.floor(255 * scaled + 0.5).astype(np.uint8), alpha


def _tag(image: Image.Image, tag: int) -> object:
    """A tag of a TIFF, None in other formats."""
    return getattr(image, "tag_v2", {}).get(tag)


def _integer_range(
    values: np.ndarray, raw: str, notes: list[str]
) -> tuple[float, float]:
    """The values that become 0 and 255."""
    low, high = values.min(), values.max()
    if raw == "I;12":
        notes.append(reduced(12))
        return 0, 2**12 - 1
    if raw.startswith("I;16") and raw.endswith("S") and low >= 0:
        notes.append(reduced(16))
        return 0, 2**15 - 1
    if low >= 0 and high < 2**16:
        notes.append(reduced(16))
        return 0, 2**16 - 1
    if raw == "I;32N" and high >= 2**28:  # Not only a dark corner of the range.
        notes.append(reduced(32))
        return 0, 2**32 - 1
    return _stretched(low, high, notes)


def _float_range(values: np.ndarray, notes: list[str]) -> tuple[float, float]:
    """The values that become 0 and 255; replaces NaN."""
    finite = np.isfinite(values)
    if not finite.any():
        raise ImageError("no floating-point sample is a number")
    sample = values[finite]
    low, high = sample.min(), sample.max()
    inner_low = np.percentile(sample, _TAIL, method="lower")
    inner_high = np.percentile(sample, 100 - _TAIL, method="higher")
    if high - low > 2 * (inner_high - inner_low) > 0:
        low, high = inner_low, inner_high
    outside = values.size - np.count_nonzero((values >= low) & (values <= high))
    values[np.isnan(values)] = low
    if outside:
        notes.append(f"{outside} outlying samples clipped to [{low:g}, {high:g}]")
    if low >= 0 and (high <= 1 or 16 < high <= 255):
        peak = 1 if high <= 1 else 255
        notes.append(f"floating-point samples in [0, {peak}] reduced to 8 bits")
        return 0, peak
    return _stretched(low, high, notes)


def _stretched(low: float, high: float, notes: list[str]) -> tuple[float, float]:
    notes.append(f"samples from {low:g} to {high:g} stretched over 8 bits")
    return low, high if high > low else low + 1
