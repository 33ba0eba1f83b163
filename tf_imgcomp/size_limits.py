"""Refuses images larger than a limit or the available memory, or lets them wait."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tf_imgcomp.errors import ImageError

_MEMINFO, _OF_PROCESS = Path("/proc/meminfo"), Path("/proc/self/status")
_CGROUPS = (  # Limit and usage of containers: cgroups version 2 and version 1.
    (Path("/sys/fs/cgroup"), "memory.max", "memory.current"),
    (
        Path("/sys/fs/cgroup/memory"),
        "memory.limit_in_bytes",
        "memory.usage_in_bytes",
    ),
)


def available_memory() -> int:
    """Returns the available memory in bytes."""
    left = [_left_to_us(*group) for group in _CGROUPS]
    return min([_free_memory(), *(each for each in left if each is not None)])


MAX_PIXELS = 500_000_000  # Of pictures of unknown origin; users may set another.
# Of a picture of 8-bit colours: Pillow's four bytes, the three of its pixels, a margin.
BYTES_PER_PIXEL = 8
# What TensorFlow adds at the first tile, whatever its size, by benchmarks/memory.py.
DECODER_BASE = 115e6
ENCODER_BASE = 160e6  # Of models whose card tells no other.


def size_of_picture(height: int, width: int) -> float:
    """Memory in bytes that a picture takes while it is read or written."""
    return BYTES_PER_PIXEL * height * width


def check_pixels(height: int, width: int, max_pixels: int) -> None:
    """Checks that an image of unknown origin is not too large to work on.

    Args:
        height: int, in pixels.
        width: int, in pixels.
        max_pixels: Largest number of pixels; 0: no limit.

    Raises:
        ImageError: If it has more.
    """
    if max_pixels and height * width > max_pixels:
        raise ImageError(
            f"{width} x {height} pixels exceed the limit of {max_pixels} (max_pixels)"
        )


def check_memory(height: int, width: int, needed: float) -> None:
    """Checks that an image fits into memory.

    Args:
        height: int, in pixels.
        width: int, in pixels.
        needed: Peak memory in bytes that its processing takes.

    Raises:
        ImageError: If it needs more memory than is available.
    """
    available = available_memory()
    if needed > available:
        raise ImageError(
            f"{width} x {height} pixels need {needed / 1e9:.1f} GB of memory, "
            f"{available / 1e9:.1f} GB are available"
        )


# Memory in bytes that each image in work needs, by a key of its own.
_in_work: dict[object, float] = {}
_changed = threading.Condition()


@contextmanager
def shared(
    needed: Callable[[int, int], float],
) -> Iterator[Callable[[int, int], float]]:
    """Context of processing an image, while other threads may process others.

    Args:
        needed: function from height and width to the peak memory in bytes of the
            processing.

    Yields:
        The same function. It waits until the image fits into memory beside those in
        work, or until there are none.
    """
    image = object()

    def needed_beside_others(height: int, width: int) -> float:
        size = needed(height, width)
        with _changed:
            _changed.wait_for(
                lambda: (
                    not _in_work or sum(_in_work.values()) + size <= available_memory()
                )
            )
            _in_work[image] = size
        return size

    try:
        yield needed_beside_others
    finally:
        with _changed:
            _in_work.pop(image, None)
            _changed.notify_all()


def _free_memory() -> int:
    """Available memory on Linux; elsewhere the installed memory stands in."""
    if not _MEMINFO.exists():
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return _kilobytes(_MEMINFO, "MemAvailable") * 1024


def _left_to_us(folder: Path, limit: str, usage: str) -> int | None:
    """What other processes leave of a container's memory; cached files give way.

    What this process uses is not subtracted: it uses most of it again for each image.
    """
    try:
        left = int((folder / limit).read_text()) - int((folder / usage).read_text())
        lines = (folder / "memory.stat").read_text().splitlines()
        stat = dict(line.split() for line in lines)
        # In version 1 only the totals count the groups inside, as the usage does.
        for name in ("inactive_file", "active_file"):
            left += int(stat.get(f"total_{name}", stat[name]))
        return max(left + _kilobytes(_OF_PROCESS, "RssAnon") * 1024, 0)
    except (OSError, ValueError, KeyError):  # No such group, or its limit is "max".
        return None


def _kilobytes(path: Path, name: str) -> int:
    lines = dict(line.split(":", 1) for line in path.read_text().splitlines())
    return int(lines[name].split()[0])
