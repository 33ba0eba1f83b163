"""Writes files atomically, also with other writers in the same folder.

    data ──► .tf_imgcomp.1f0c5a.tmp ──► fsync ──► rename or link ──► photo.tfci

A temporary file lies beside its target, has a unique name, and is locked while it is
written. A later run removes those that it can lock: a killed run left them. `flock`
works between threads, processes and containers.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from tf_imgcomp.errors import ImgcompError

_PREFIX, _SUFFIX = ".tf_imgcomp.", ".tmp"


def check_writable(path: Path, overwrite: bool, source: Path) -> None:
    """Checks early that the result for `source` can be written to `path`.

    Raises:
        ImgcompError: If `path` exists and must not be replaced.
    """
    if path.exists():
        if not path.is_file():
            raise ImgcompError(f"{path} exists and is not a file")
        if source.exists() and path.samefile(source):
            raise ImgcompError("the result would replace its own input")
    if os.path.lexists(path) and not overwrite:  # Also a dangling link.
        raise _exists(path)


def write_atomically(path: Path, data: bytes, *, overwrite: bool) -> None:
    """Writes the bytes of a file; see `open_atomically`."""
    with open_atomically(path, overwrite=overwrite) as file:
        file.write(data)


@contextlib.contextmanager
def open_atomically(path: Path, *, overwrite: bool) -> Iterator[BinaryIO]:
    """Opens a file for writing that appears under its name when it is complete.

    Its folder is made if missing. A replaced file's mode is kept; a new file has the
    mode that the umask gives. At the end, the file is synced to disk.

    Args:
        path: The file to write. A symbolic link stays, and its target is replaced.
        overwrite: Whether a file or link at `path` may be replaced. If not, even one
            that appears during the writing is kept.

    Raises:
        ImgcompError: If something is at `path` and `overwrite` is false.
        OSError: If the file cannot be written. After any exception, `path` is
            unchanged and no temporary is left.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        target = _follow_links(path) if overwrite else path
        _clear_leftovers(target.parent.resolve())
        with _locked_temporary(target.parent) as (file, temporary):
            yield file
            if overwrite:
                _keep_mode(target, file)
            file.flush()
            os.fsync(file.fileno())
            if overwrite:
                os.replace(temporary, target)
            else:
                _rename_to_new(temporary, target)
        _sync_folder(target.parent)
    except OSError as error:
        if isinstance(error, FileExistsError) and not overwrite:
            raise _exists(path) from None
        raise OSError(error.errno, error.strerror, str(path)) from None


def _exists(path: Path) -> ImgcompError:
    return ImgcompError(f"{path} exists: use --overwrite to replace it")


def _follow_links(path: Path) -> Path:
    """The file that a path leads to, which need not exist.

    Raises:
        OSError: If links form a loop.
    """
    with contextlib.suppress(FileNotFoundError):
        path.stat()
    return Path(os.path.realpath(path))


@contextlib.contextmanager
def _locked_temporary(folder: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """Makes a temporary file, locked while it is open, and removes it at the end."""
    linked = False
    while not linked:
        temporary = folder / f"{_PREFIX}{secrets.token_hex(8)}{_SUFFIX}"
        file = open(temporary, "xb")
        with contextlib.suppress(OSError):  # Some file systems have no locks.
            fcntl.flock(file, fcntl.LOCK_EX)
        # Before it was locked, another run may have taken it for a leftover.
        linked = os.fstat(file.fileno()).st_nlink > 0
        if not linked:
            file.close()
    with file:
        try:
            yield file, temporary
        finally:
            temporary.unlink(missing_ok=True)


@functools.cache  # Once per run: folders may have many files.
def _clear_leftovers(folder: Path) -> None:
    """Removes the temporaries of killed runs, which are not locked."""
    for path in folder.glob(f"{_PREFIX}*{_SUFFIX}"):
        # Another run may hold the lock or remove the file first; it may be read-only.
        with contextlib.suppress(OSError), open(path, "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()


def _keep_mode(target: Path, file: BinaryIO) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.fchmod(file.fileno(), stat.S_IMODE(target.stat().st_mode))


def _rename_to_new(temporary: Path, target: Path) -> None:
    """Renames a file; raises FileExistsError if something is at `target`."""
    try:
        os.link(temporary, target)
        return
    except FileExistsError:
        raise
    except OSError:  # A file system without hard links, such as exFAT.
        target.touch(exist_ok=False)
    try:
        os.replace(temporary, target)
    except BaseException:
        target.unlink()
        raise


def _sync_folder(folder: Path) -> None:
    """Syncs a rename to disk, if the file system can sync folders."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
