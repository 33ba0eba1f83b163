"""What the programs on files have in common: starting, and going through the files."""

from __future__ import annotations

import functools
import gc
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NoReturn

from absl import app, flags, logging
from tqdm import tqdm

from tf_imgcomp.errors import ImgcompError
from tf_imgcomp.files.compression import Report
from tf_imgcomp.image_codecs.interface import ImageCodec


def run(program: str, main: Callable[[Sequence[str]], int]) -> None:
    """Runs a program and ends Python with its exit code.

    Args:
        program: Its name, for its messages.
        main: Called with the arguments that are no flags, the program's path first.
            Its module's docstring and flags are what --help shows.
    """
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # As in `bin/inspect ... | head`.
    # The name of a file may be any bytes.
    sys.stdout.reconfigure(errors="backslashreplace")
    # Of an installed program, Python's main module is a stub that pip wrote.
    sys.modules["__main__"].__doc__ = sys.modules[main.__module__].__doc__
    for flag in flags.FLAGS.get_key_flags_for_module(main.__module__):
        flags.FLAGS.register_key_flag_for_module(sys.argv[0], flag)
    app.run(main, flags_parser=functools.partial(parse, program))


def parse(program: str, argv: Sequence[str]) -> list[str]:
    """Sets the flags; a wrong one ends the program.

    Returns:
        The arguments that are no flags, the program's path first.
    """
    flags.FLAGS.set_gnu_getopt()  # Flags may follow inputs.
    try:
        arguments = flags.FLAGS(argv)
    except flags.Error as error:
        end_with_usage_error(program, " ".join(str(error).split()))
    if flags.FLAGS["verbosity"].using_default_value:
        flags.FLAGS.verbosity = logging.ERROR  # TensorFlow's notes are for developers.
    return arguments


def end_with_usage_error(program: str, message: str) -> NoReturn:
    complain(program, f"{message} (see bin/{program} --help)")
    sys.exit(2)


def complain(program: str, message: object) -> None:
    """Tells the user something that is not a result."""
    tqdm.write(f"bin/{program}: {message}", file=sys.stderr)


def guard(program: str, work: Callable[[], int]) -> int:
    """Returns the exit code of `work`; what a user causes gets one line."""
    try:
        return work()
    except (ImgcompError, OSError) as error:
        complain(program, _reason(error))
        return 1
    except KeyboardInterrupt:
        complain(program, "interrupted")
        return 130


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
            complain(program, f"{source}: {_reason(error, source)}")
            exit_code = 1
    return exit_code


def in_haste(load: Callable[[str], ImageCodec]) -> Callable[[str], ImageCodec]:
    """The same function, for a program that ends after a few images.

    All that is loaded stays, so that looking for garbage in it is 0.4 s for nothing.
    TensorFlow then runs graphs as they are: to optimize them takes it half a second;
    each image would take 3 to 5 % less.
    """

    def loaded(model: str) -> ImageCodec:
        gc.disable()
        try:
            codec = load(model)
        finally:
            gc.freeze()
            gc.enable()
        import tensorflow as tf

        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
        return codec

    return loaded


def progress(items: Iterable) -> Iterable:
    """The same items, counted by a progress bar if a person is watching."""
    unseen = not sys.stderr.isatty()
    return tqdm(items, disable=unseen, unit="image", leave=False)


def _reason(error: Exception, source: Path | None = None) -> str:
    if isinstance(error, MemoryError):
        return "not enough memory"
    if not isinstance(error, OSError) or not error.strerror:
        return str(error)
    elsewhere = error.filename and Path(error.filename) != source
    return f"{error.filename}: {error.strerror}" if elsewhere else error.strerror


def tell(program: str, source: Path, target: Path, report: Report) -> str:
    """Tells the user a file's notes, and returns the line on its result."""
    for note in report.notes:
        complain(program, f"{source}: {note}")
    line = (
        f"{source} -> {target}: {report.num_bytes} bytes, {report.bpp:.4f} bpp, "
        f"{report.seconds:.2f} s, quality {report.quality:.2f}"
    )
    return line if report.psnr is None else f"{line}, {report.psnr:.2f} dB"
