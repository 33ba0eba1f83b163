"""Timing of functions in turns, shared by the benchmarks."""

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "kitten.png"


def median_seconds(
    functions: dict[str, Callable],
    runs: int,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, float]:
    """Median time of each function: wall time, or that of another clock.

    They run in turns, so that other load on the machine affects all equally: ratios of
    the results are more reliable than the results.
    """
    seconds = {name: [] for name in functions}
    for function in functions.values():
        function()  # The first call traces and allocates.
    for _ in range(runs):
        for name, function in functions.items():
            start = clock()
            function()
            seconds[name].append(clock() - start)
    return {name: float(np.median(times)) for name, times in seconds.items()}


def tiled_picture(photos: list[np.ndarray], width: int, height: int) -> np.ndarray:
    """The photos below each other, mirrored, as often as it takes."""
    narrowest = min(photo.shape[1] for photo in photos)
    block = np.concatenate([photo[:, :narrowest] for photo in photos])
    block = np.concatenate([block, block[:, ::-1]], axis=1)
    block = np.concatenate([block, block[::-1]])
    repeated = -(-height // block.shape[0]), -(-width // block.shape[1]), 1
    return np.tile(block, repeated)[:height, :width]


def memory_of_session(leader: int) -> int:
    """Resident bytes of all processes of the session that process `leader` began."""
    pages = 0
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # Of one that has ended.
            if os.getsid(int(folder.name)) == leader:
                pages += int((folder / "statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
