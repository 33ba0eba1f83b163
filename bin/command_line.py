"""What the programs on files have in common: flags, and going through the files."""

import argparse
import math
import sys
from collections.abc import Callable
from pathlib import Path

from tqdm import tqdm

from tf_imgcomp.errors import ImgcompError
from tf_imgcomp.export.files import Report


class Parser(argparse.ArgumentParser):
    """Parser of a program's flags that answers a wrong one in one line.

    It is argparse's and not absl's because of flags that exclude each other, and so
    that several programs can be used in one process.
    """

    def __init__(self, program: str, description: str, **settings):
        super().__init__(
            prog=f"bin/{program}",
            description=description,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
            **settings,
        )

    def error(self, message: str):
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def number(low: float, high: float = math.inf, kind: type = float) -> Callable:
    """Returns an argparse type: a number in [low, high], or above 0 if low is 0."""

    def parse(text: str):
        value = kind(text)
        if not (low <= value <= high and math.isfinite(value) and value > 0):
            expected = f"from {low:g} to {high:g}" if high < math.inf else "above 0"
            raise argparse.ArgumentTypeError(
                f"expected a number {expected}, received {text}"
            )
        return value

    parse.__name__ = kind.__name__  # For argparse's message on what is no number.
    return parse


def add_output_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--output",
        metavar="PATH",
        help="a file for one input; a folder, made if missing, for several inputs or "
        "if it ends in / (default: beside each input)",
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace files that exist"
    )


def complain(program: str, message: object) -> None:
    """Tells the user something that is not a result."""
    tqdm.write(f"bin/{program}: {message}", file=sys.stderr)


def each_file(
    program: str, jobs: dict[Path, Path], work: Callable[[Path, Path], str]
) -> int:
    """Does the work for each file and prints what it returns.

    A file that fails is reported and does not stop the others. Several files are
    counted by a progress bar if a person is watching.

    Args:
        program: Name of the program, for its messages.
        jobs: For each file read, the one it results in.
        work: Called with both names for each file.

    Returns:
        The exit code: 0, or 1 if any file failed.
    """
    exit_code, sources = 0, {}
    unseen = len(jobs) < 2 or not sys.stderr.isatty()
    for source, target in tqdm(jobs.items(), disable=unseen, unit="file"):
        try:
            if sources.setdefault(target, source) != source:
                raise ImgcompError(f"{sources[target]} went to {target} already")
            tqdm.write(work(source, target))
        except (ImgcompError, OSError, MemoryError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            complain(program, f"{source}: {reason or 'not enough memory'}")
            exit_code = 1
        except KeyboardInterrupt:
            complain(program, "interrupted")
            return 130
    return exit_code


def tell(program: str, source: Path, target: Path, report: Report) -> str:
    """Tells the user a file's notes, and returns the line on its result."""
    for note in report.notes:
        complain(program, f"{source}: {note}")
    line = (
        f"{source} -> {target}: {report.num_bytes} bytes, {report.bpp:.4f} bpp, "
        f"{report.seconds:.2f} s, quality {report.quality:.2f}"
    )
    return line if report.psnr is None else f"{line}, {report.psnr:.2f} dB"
