"""Reduces grey samples of more than 8 bits, and floating-point ones, to 8 bits.

They are scaled by the depth that the file declares. Where that would show nothing, they
are stretched, with a note of the range.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, TiffImagePlugin

from tf_imgcomp.errors import ImageError
from tf_imgcomp.image_files.transfer import Curve

MODES = {"I", "I;16", "I;16B", "I;16L", "I;16N", "F"}

_WHITE_IS_ZERO = 0
_TAIL = 1e-3  # Part of the samples at each end that may be outliers.
_ROWS = 256


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
    if image.mode == "F":
        low, high = _float_range(samples, notes)
    else:
        low, high = _integer_range(samples, raw, notes)
    inverted = _tag(image, TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == _WHITE_IS_ZERO

    def convert(values: np.ndarray) -> np.ndarray:
        finite = np.nan_to_num(
            values.astype(np.float64), nan=low, posinf=high, neginf=low
        )
        scaled = np.clip((finite - low) / (high - low), 0, 1)
        scaled = 1 - scaled if inverted else scaled
        return np.floor(255 * (curve(scaled) if curve else scaled) + 0.5).astype(
            np.uint8
        )

    transparent = image.info.get("transparency")
    alpha = None
    if isinstance(transparent, int):
        alpha = np.where(samples == transparent, 0, 255).astype(np.uint8)
    if samples.itemsize == 2:
        return look_up(convert(np.arange(65536)), samples), alpha
    return by_rows(convert, samples), alpha


def look_up(table: np.ndarray, samples: np.ndarray) -> np.ndarray:
    """Returns `table[samples]`."""
    return by_rows(lambda rows: table[rows], samples)


def by_rows(function: Curve, samples: np.ndarray) -> np.ndarray:
    """Applies a function from any samples to uint8 with little memory."""
    result = np.empty(samples.shape, np.uint8)
    for top in range(0, len(samples), _ROWS):
        result[top : top + _ROWS] = function(samples[top : top + _ROWS])
    return result


def _tag(image: Image.Image, tag: int) -> object:
    """A tag of a TIFF, None in other formats."""
    return getattr(image, "tag_v2", {}).get(tag)


def _integer_range(
    values: np.ndarray, raw: str, notes: list[str]
) -> tuple[float, float]:
    """The values that become 0 and 255."""
    low, high = float(values.min()), float(values.max())
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
    """The values that become 0 and 255."""
    sample = values[np.isfinite(values)]
    if not sample.size:
        raise ImageError("no floating-point sample is a number")
    tail = min(1 + int(_TAIL * sample.size), (sample.size - 1) // 2)
    sample.partition([0, tail, sample.size - 1 - tail, sample.size - 1])
    low, high = map(float, (sample[0], sample[-1]))
    inner_low, inner_high = map(float, (sample[tail], sample[-1 - tail]))
    if high - low > 2 * (inner_high - inner_low) > 0:
        low, high = inner_low, inner_high
    outside = values.size - np.count_nonzero((values >= low) & (values <= high))
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
