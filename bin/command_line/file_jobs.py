"""The loop over the files of a program."""

from __future__ import annotations

import errno
import functools
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tqdm import tqdm

from tf_imgcomp.errors import ImgcompError
from tf_imgcomp.files.compression import Report
from tf_imgcomp_bin.command_line.messages import complain, one_line, reason
from tf_imgcomp_bin.command_line.standard_streams import STANDARD
from tf_imgcomp_bin.command_line.supervision import course

# Photos coded at the same time: one uses the cores that others leave idle while they
# are read, entropy coded or written. More take more memory.
_PHOTOS_AT_ONCE = 3
_EXPECTED = (ImgcompError, OSError, MemoryError)


def each_file(
    program: str,
    jobs: dict[Path, Path],
    work: Callable[[Path, Path], Report | str],
    at_once: int = 1,
) -> int:
    """Calls `work` for each file and prints what it returns.

    A file that fails is reported and does not stop the others. Several files get a
    progress bar on a terminal. If standard output is taken, what `work` returns goes to
    standard error.

    Args:
        program: Name of the program, for its messages.
        jobs: For each file read, the one it results in.
        work: Called with both names for each file. Returns a report or a line.
        at_once: How many files to work at, in threads; one, if a process before this
            one ended suddenly. All that is printed is in the order of the files.

    Returns:
        The exit code: 0, or 1 if any file failed.
    """
    left = [source for source in jobs if source not in course.told]
    results = _started(jobs, left, work, 1 if course.one_at_a_time else at_once)
    exit_code = 0 if all(course.told.values()) else 1
    silent = len(jobs) < 2 or not sys.stderr.isatty()
    for source in tqdm(left, disable=silent, unit="file"):
        target, good = jobs[source], True
        try:
            result = next(results)()
            if isinstance(result, Report):
                result = tell(program, source, target, result)
            tqdm.write(result, file=sys.stderr if target == STANDARD else sys.stdout)
        except _EXPECTED as error:
            complain(program, f"{source}: {reason(error, source)}")
            exit_code, good = 1, False
        sys.stdout.flush()  # Before it counts as told: this process may end suddenly.
        course.tell(source, good)
    return exit_code


def tell(program: str, source: Path, target: Path, report: Report) -> str:
    """Prints a file's notes and returns the line on its result."""
    for note in report.notes:
        complain(program, f"{source}: {note}")
    line = (
        f"{source} -> {target}: {report.num_bytes} bytes, {report.bpp:.4f} bpp, "
        f"{report.seconds:.2f} s, quality {report.quality:.2f}"
    )
    return one_line(line if report.psnr is None else f"{line}, {report.psnr:.2f} dB")


def _started(
    jobs: dict[Path, Path],
    left: Sequence[Path],
    work: Callable[[Path, Path], Any],
    at_once: int,
) -> Iterator[Callable[[], Any]]:
    """Yields a function for each source left: it returns the result, or raises."""
    first_sources: dict[Path, Path] = {}
    for source, target in jobs.items():
        first_sources.setdefault(target, source)

    def work_once(source: Path) -> Any:
        target = jobs[source]
        if source in course.results:  # Of a child before this one.
            if isinstance(course.results[source], Exception):
                raise course.results[source]
            return course.results[source]
        # A folder with inputs was expanded to them, so a folder here has none.
        if source.is_dir():
            os.listdir(source)  # Raises if this is not permitted.
            raise IsADirectoryError(errno.EISDIR, "Is a directory", str(source))
        if first_sources[target] != source:
            raise ImgcompError(
                f"{target} is the output of {first_sources[target]} already"
            )
        course.begin(source, target)
        try:
            result = work(source, target)
        except _EXPECTED as error:
            course.end(source, ImgcompError(reason(error, source)))
            raise
        course.end(source, result)
        return result

    if min(at_once, len(left)) < 2:
        for source in left:
            yield functools.partial(work_once, source)
        return
    executor = ThreadPoolExecutor(at_once)
    try:
        for future in [executor.submit(work_once, source) for source in left]:
            yield future.result
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


def photos_at_once(count: int, threads: int | None) -> int:
    """How many photos to code at the same time, of `count` and with these threads."""
    threads = threads or os.cpu_count() or 1
    return min(count, _PHOTOS_AT_ONCE) if threads > 1 else 1
