"""What programs print that is not a result: messages, progress, notes."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from tqdm import tqdm

_INSTALLED = "tf_imgcomp-"  # Begins the names of programs that pip installs.


def called(program: str) -> str:
    """The name of a program as users call it, here or installed."""
    is_installed = Path(sys.argv[0]).name.startswith(_INSTALLED)
    name = program.removeprefix(_INSTALLED).removesuffix("_file")
    return f"{_INSTALLED if is_installed else 'bin/'}{name}"


def as_called(text: str) -> str:
    """A text with the names of programs as users call them."""
    return re.sub(r"\bbin/(\w+)(?![\w/])", lambda found: called(found[1]), text)


def complain(program: str, message: object) -> None:
    """Prints a message that is not a result, on one line."""
    tqdm.write(one_line(f"{called(program)}: {message}"), file=sys.stderr)


def one_line(text: str) -> str:
    """Escapes control and unprintable characters of file names."""
    text = text.encode(errors="surrogateescape").decode(errors="backslashreplace")
    return re.sub(r"[\0-\x1f\x7f-\x9f]", lambda found: repr(found[0])[1:-1], text)


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
        # A folder with inputs was expanded to them, so a folder here has none.
        empty = "the folder holds no file with an extension that is read here"
        named = Path(error.filename) != source
        return f"{error.filename}: {empty}" if named else empty
    if not isinstance(error, OSError) or not error.strerror:
        return str(error)
    elsewhere = error.filename and Path(error.filename) != source
    return f"{error.filename}: {error.strerror}" if elsewhere else error.strerror
