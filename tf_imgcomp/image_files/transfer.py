"""Transfer functions: from samples in [0, 1] to linear light, and the curve of sRGB."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

Curve = Callable[[np.ndarray], np.ndarray]

# Light of a white page in high dynamic range, in cd/m2 (ITU-R BT.2408), and the peak
# for which most of it is mastered.
_WHITE, _PEAK = 203.0, 1000.0
_FIT = 1 / 512  # Half a step of 8 bits.
_KNEE = 0.75  # Of white: up to here light is kept.


class Parametric(NamedTuple):
    """Linear light is `(a * v + b) ** g` from v = d on, and `c * v` below."""

    g: float
    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    d: float = 0.0

    def to_linear(self, v: np.ndarray) -> np.ndarray:
        power = np.maximum(self.a * v + self.b, 0) ** self.g
        return np.where(v >= self.d, power, self.c * v)


LINEAR = Parametric(1.0)
SRGB = Parametric(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
BT709 = Parametric(1 / 0.45, 1 / 1.099, 0.099 / 1.099, 1 / 4.5, 0.081)
SMPTE240 = Parametric(1 / 0.45, 1 / 1.1115, 0.1115 / 1.1115, 1 / 4, 0.0912)


def fitted(table: Sequence[float]) -> Parametric | None:
    """Returns the curve that a table samples: that of sRGB, or a power; None if none.

    Args:
        table: Light, 0 to 65535, of 2, 4, 8, ... samples from 0 to 1, of all colours or
            three times, of red, green and blue.
    """
    if not len(table):
        return None
    light = np.reshape(table, (3 if len(table) % 3 == 0 else 1, -1)) / 65535
    v = np.linspace(0, 1, light.shape[1])
    middle = len(v) // 2
    with np.errstate(divide="ignore", invalid="ignore"):  # Of a table of zeros.
        power = Parametric(float(np.log(light[0, middle]) / np.log(v[middle])))
        for curve in (SRGB, power):
            if np.abs(curve.to_linear(v) - light).max() < _FIT:
                return curve
    return None


def to_srgb_curve(light: np.ndarray) -> np.ndarray:
    """From linear light to samples, both clipped to [0, 1]."""
    light = np.clip(light, 0, 1)
    return np.where(
        light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055
    )


def pq(v: np.ndarray) -> np.ndarray:
    """Light by SMPTE ST 2084: 1 is 10,000 cd/m2."""
    power = v ** (1 / 78.84375)
    ratio = np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)
    return ratio ** (1 / 0.1593017578125)


def hlg(v: np.ndarray) -> np.ndarray:
    """Light of the scene by ARIB STD-B67: 1 is the brightest."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(v <= 0.5, v**2 / 3, (np.exp((v - c) / a) + b) / 12)


def pq_to_linear(v: np.ndarray) -> np.ndarray:
    """SMPTE ST 2084, for screens of standard range: 1 is white and the brightest."""
    return _compress_highlights(10000 / _WHITE * pq(v))


def hlg_to_linear(v: np.ndarray) -> np.ndarray:
    """ARIB STD-B67 on a screen of 1000 cd/m2, for screens of standard range."""
    return _compress_highlights(_PEAK / _WHITE * hlg(v) ** 1.2)


def _compress_highlights(light: np.ndarray) -> np.ndarray:
    excess = np.maximum(light - _KNEE, 0) / (1 - _KNEE)
    return np.minimum(light, _KNEE) + (1 - _KNEE) * -np.expm1(-excess)
