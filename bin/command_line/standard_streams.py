"""The name - for standard input and output."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tf_imgcomp.errors import ImgcompError

STANDARD = Path("-")


def in_jobs(jobs: dict[Path, Path], output: str | None) -> dict[Path, Path]:
    """The same jobs, with standard output where the user wants it.

    A result goes there if `output` is -, or if the input is standard input and `output`
    is None.

    Args:
        jobs: For each input its output, as `paths.output_paths` names it.
        output: What the user named, None for nothing.

    Raises:
        ImgcompError: If several results would go to standard output.
    """
    if output == str(STANDARD) and len(jobs) > 1:
        raise ImgcompError(f"--output=-: expected one input, received {len(jobs)}")
    if output is None and STANDARD in jobs:
        return {**jobs, STANDARD: STANDARD}
    return jobs


@contextlib.contextmanager
def as_files(source: Path, target: Path, suffix: str) -> Iterator[tuple[Path, Path]]:
    """Gives a file to read with standard input in it, and one for standard output.

    Files of other names stay as they are. Image formats need a file that can be read
    at any position, and nothing is written before the result is whole.

    Args:
        source, target: Names of a job.
        suffix: Extension of the file for standard output.
    """
    if STANDARD not in (source, target):
        yield source, target
        return
    with tempfile.TemporaryDirectory(prefix="tf_imgcomp.") as folder:
        read, written = source, target
        if source == STANDARD:
            read = Path(folder) / "input"
            read.write_bytes(sys.stdin.buffer.read())
        if target == STANDARD:
            written = Path(folder) / f"output{suffix}"
        yield read, written
        if target == STANDARD:
            sys.stdout.buffer.write(written.read_bytes())
            sys.stdout.buffer.flush()
