"""NAL units: the packets of an HEVC stream (ITU-T H.265, 7.3.1 and annex B).

Annex B stream = start code, NAL unit, start code, NAL unit, ...
"""

from __future__ import annotations

import re
from collections.abc import Iterable

START_CODE = b"\0\0\1"
VPS, SPS, PPS = 32, 33, 34  # Types of NAL units, table 7-1.
IDR_SLICES = (19, 20)
FIRST_NO_SLICE = 32


def split(stream: bytes) -> list[bytes]:
    """Returns the NAL units between start codes; drops bytes before the first."""
    # A NAL unit never ends in zero: zeros at its end belong to the next start code.
    return [unit.rstrip(b"\0") for unit in stream.split(START_CODE)[1:]]


def join(units: Iterable[bytes]) -> bytes:
    """Returns an Annex B stream."""
    return b"".join(b"\0" + START_CODE + unit for unit in units)


def type_of(unit: bytes) -> int:
    return unit[0] >> 1 & 63


def layer_of(unit: bytes) -> int:
    return (unit[0] & 1) << 5 | unit[1] >> 3


def escape(header: bytes) -> bytes:
    """Inserts emulation prevention bytes, so that no start code appears inside."""
    return re.sub(rb"\x00\x00(?=[\x00-\x03])", b"\0\0\3", header)


def unescape(unit: bytes) -> bytes:
    """Removes the emulation prevention bytes."""
    return re.sub(rb"\x00\x00\x03", b"\0\0", unit)
