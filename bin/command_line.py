"""Shared by the programs: start, messages, exit codes, the loop over files."""

from __future__ import annotations

import errno
import functools
import gc
import os
import re
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NoReturn

from absl import app, flags, logging
from tqdm import tqdm

import tf_imgcomp
from tf_imgcomp.atomic_files import abandon_all
from tf_imgcomp.errors import ImgcompError
from tf_imgcomp.files.compression import Report
from tf_imgcomp.image_codecs.classical import STREAMS
from tf_imgcomp.image_codecs.interface import ImageCodec
from tf_imgcomp.image_codecs.workers import Workers
from tf_imgcomp_bin import completion
from tf_imgcomp_bin.standard_streams import STANDARD

# TensorFlow becomes its second version late in its import. If it is imported while absl
# runs a program, it has started as the first by then: `==` of tensors compares objects.
os.environ["TF2_BEHAVIOR"] = "1"

_FLAGFILES = Path(__file__).parent / "flags"
_INSTALLED = "tf_imgcomp-"  # Begins the names of programs that pip installs.


class _PrintingFlag(flags.BooleanFlag):
    """A flag that prints a text and ends the program."""

    def __init__(self, name: str, text: Callable[[], str], help_: str):
        super().__init__(name, False, help_)
        self._text = text

    def parse(self, argument: str | bool) -> None:
        super().parse(argument)
        if self.value:
            print(self._text())
            sys.exit(0)


def _completion() -> str:
    shown = flags.FLAGS.get_key_flags_for_module(sys.argv[0])
    return completion.script(called(Path(sys.argv[0]).stem), shown)


flags.DEFINE_flag(
    _PrintingFlag(
        "version",
        lambda: f"tf_imgcomp {tf_imgcomp.__version__}",
        "Print the version and exit.",
    )
)
flags.DEFINE_flag(
    _PrintingFlag(
        "completion",
        _completion,
        "Print what bash and zsh read to complete flags, and exit.",
    )
)

_INTERRUPTED = 130  # 128 plus the number of the signal, as in shells.

# Photos coded at the same time: one computes what another leaves idle while it is read,
# entropy coded or written. More take more memory.
_PHOTOS_AT_ONCE = 2


def run(program: str, main: Callable[[Sequence[str]], int]) -> None:
    """Runs a program and ends Python with its exit code.

    Args:
        program: Its name, for its messages.
        main: Called with the arguments that are no flags, the program's path first.
            Its module's docstring and flags are what --help shows.
    """
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # For `bin/inspect ... | head`.
    # A file's name may be any bytes.
    sys.stdout.reconfigure(errors="backslashreplace")
    # Of an installed program, Python's main module is a stub that pip wrote.
    documentation = sys.modules[main.__module__].__doc__ or ""
    sys.modules["__main__"].__doc__ = _as_called(documentation)
    for module in (main.__module__, __name__):
        for flag in flags.FLAGS.get_key_flags_for_module(module):
            flag.help = _as_called(flag.help)
            flags.FLAGS.register_key_flag_for_module(sys.argv[0], flag)
    app.run(
        functools.partial(_run_to_the_end, main),
        flags_parser=functools.partial(parse, program),
    )


def _run_to_the_end(main: Callable[[Sequence[str]], int], argv: Sequence[str]) -> int:
    """Returns the exit code, but ends Python if the user interrupted the program.

    Threads that compute a tile cannot be stopped, and Python would wait for them.
    """
    exit_code = main(argv)
    if exit_code == _INTERRUPTED:
        abandon_all()
        sys.stdout.flush()
        os._exit(exit_code)
    return exit_code


def called(program: str) -> str:
    """The name of a program as users call it, here or installed."""
    is_installed = Path(sys.argv[0]).name.startswith(_INSTALLED)
    name = program.removeprefix(_INSTALLED).removesuffix("_file")
    return f"{_INSTALLED if is_installed else 'bin/'}{name}"


def _as_called(text: str) -> str:
    """A text with the names of programs as users call them."""
    return re.sub(r"\bbin/(\w+)(?![\w/])", lambda found: called(found[1]), text)


def parse(program: str, argv: Sequence[str]) -> list[str]:
    """Sets the flags; a wrong one ends the program.

    Returns:
        The arguments that are no flags, the program's path first.
    """
    flags.FLAGS.set_gnu_getopt()  # Flags may follow inputs.
    try:
        arguments = flags.FLAGS([with_flagfile(argument) for argument in argv])
    except flags.Error as error:
        end_with_usage_error(program, " ".join(str(error).split()))
    if flags.FLAGS["verbosity"].using_default_value:
        flags.FLAGS.verbosity = logging.ERROR  # TensorFlow's notes are for developers.
    return arguments


def with_flagfile(argument: str) -> str:
    """The same argument; a flagfile that is not there is looked for in the package."""
    found = re.fullmatch("--?flagfile=(.+)", argument)
    if not found or Path(found[1]).exists() or not (_FLAGFILES / found[1]).is_file():
        return argument
    return f"--flagfile={_FLAGFILES / found[1]}"


def end_with_usage_error(program: str, message: str) -> NoReturn:
    complain(program, f"{message} (see {called(program)} --help)")
    sys.exit(2)


def complain(program: str, message: object) -> None:
    """Prints a message that is not a result, on one line."""
    tqdm.write(one_line(f"{called(program)}: {message}"), file=sys.stderr)


def one_line(text: str) -> str:
    """Escapes what a file's name can hold and a terminal would obey or not print."""
    text = text.encode(errors="surrogateescape").decode(errors="backslashreplace")
    return re.sub(r"[\0-\x1f\x7f-\x9f]", lambda found: repr(found[0])[1:-1], text)


def guard(program: str, work: Callable[[], int]) -> int:
    """Returns the exit code of `work`; an expected error becomes one line."""
    try:
        return work()
    except (ImgcompError, OSError) as error:
        complain(program, reason(error))
        return 1
    except KeyboardInterrupt:
        complain(program, "interrupted")
        return _INTERRUPTED


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
        at_once: How many files to work at, in threads. All that is printed is in the
            order of the files.

    Returns:
        The exit code: 0, or 1 if any file failed.
    """
    exit_code, results = 0, _started(jobs, work, at_once)
    silent = len(jobs) < 2 or not sys.stderr.isatty()
    for source, target in tqdm(jobs.items(), disable=silent, unit="file"):
        try:
            result = next(results)()
            if isinstance(result, Report):
                result = tell(program, source, target, result)
            tqdm.write(result, file=sys.stderr if target == STANDARD else sys.stdout)
        except (ImgcompError, OSError, MemoryError) as error:
            complain(program, f"{source}: {reason(error, source)}")
            exit_code = 1
    return exit_code


def _started(
    jobs: dict[Path, Path], work: Callable[[Path, Path], Any], at_once: int
) -> Iterator[Callable[[], Any]]:
    """For each job a function that returns its result, or raises its error."""
    first_sources: dict[Path, Path] = {}
    for source, target in jobs.items():
        first_sources.setdefault(target, source)

    def work_once(source: Path, target: Path) -> Any:
        if source.is_dir():  # Of a folder that holds inputs, these take its place.
            os.listdir(source)  # Raises if this is not permitted.
            raise IsADirectoryError(errno.EISDIR, "Is a directory", str(source))
        if first_sources[target] != source:
            raise ImgcompError(
                f"{target} is the output of {first_sources[target]} already"
            )
        return work(source, target)

    if min(at_once, len(jobs)) < 2:
        for job in jobs.items():
            yield functools.partial(work_once, *job)
        return
    executor = ThreadPoolExecutor(at_once)
    try:
        for future in [executor.submit(work_once, *job) for job in jobs.items()]:
            yield future.result
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


def photos_at_once(count: int, threads: int | None) -> int:
    """How many photos to code at the same time, of `count` and with these threads."""
    return min(count, _PHOTOS_AT_ONCE, threads or os.cpu_count() or 1)


def fast_startup(
    load: Callable[[str], ImageCodec], threads: int | None = None, at_once: int = 1
) -> Callable[[str], ImageCodec]:
    """The same function, loading faster, for a program that ends after a few images.

    Loaded objects live until exit, so garbage collection is frozen (saves 0.4 s).
    TensorFlow does not optimize the graphs (saves 0.5 s, costs 3 to 5 % of each image).
    See docs/startup.md.

    Args:
        load: Function from a model's name to its codec.
        threads: Of TensorFlow. None: one for each core.
        at_once: How many photos will be coded at the same time. If there are as many as
            threads, each operation has one thread, so that none waits for others.
    """

    def loaded(model: str) -> ImageCodec:
        if model in STREAMS:  # Needs no TensorFlow.
            return load(model)
        gc.disable()
        try:
            import tensorflow as tf

            if threads:
                tf.config.threading.set_intra_op_parallelism_threads(threads)
                tf.config.threading.set_inter_op_parallelism_threads(threads)
            if at_once >= (threads or os.cpu_count() or 1):
                tf.config.threading.set_intra_op_parallelism_threads(1)
            codec = load(model)
        finally:
            gc.freeze()
            gc.enable()
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
        return codec

    return loaded


def workers(threads: int | None) -> Workers:
    """Threads for the tiles of images, with a progress bar on a terminal."""
    return Workers(threads, functools.partial(progress, unit="tile"))


def progress(items: Iterable, unit: str = "image") -> Iterable:
    """The same items, with a progress bar on a terminal."""
    silent = not sys.stderr.isatty()
    return tqdm(items, disable=silent, unit=unit, leave=False)


def told(program: str, items: Sequence, unit: str = "image") -> Iterable:
    """The same items, with a progress bar; not on a terminal, with a line for each."""
    if sys.stderr.isatty():
        yield from tqdm(items, unit=unit)
        return
    for number, item in enumerate(items, 1):
        complain(program, f"{unit} {number} of {len(items)}: {item}")
        yield item


def reason(error: Exception, source: Path | None = None) -> str:
    """One line on an expected error; it names a file that is not `source`."""
    if isinstance(error, MemoryError):
        return "not enough memory"
    if isinstance(error, IsADirectoryError) and error.filename:
        # Of a folder that holds inputs, these take its place.
        empty = "the folder holds no file with an extension that is read here"
        named = Path(error.filename) != source
        return f"{error.filename}: {empty}" if named else empty
    if not isinstance(error, OSError) or not error.strerror:
        return str(error)
    elsewhere = error.filename and Path(error.filename) != source
    return f"{error.filename}: {error.strerror}" if elsewhere else error.strerror


def tell(program: str, source: Path, target: Path, report: Report) -> str:
    """Prints a file's notes and returns the line on its result."""
    for note in report.notes:
        complain(program, f"{source}: {note}")
    line = (
        f"{source} -> {target}: {report.num_bytes} bytes, {report.bpp:.4f} bpp, "
        f"{report.seconds:.2f} s, quality {report.quality:.2f}"
    )
    return one_line(line if report.psnr is None else f"{line}, {report.psnr:.2f} dB")
