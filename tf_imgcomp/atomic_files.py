"""Files that are written whole or not at all, also beside other writers.

    data ──► .tf_imgcomp.1f0c5a.tmp ──► fsync ──► rename or link ──► photo.tfci

A temporary lies beside its target. It has a name of its own, only its user can read it,
and it is locked while it is written. A later run removes temporaries that killed runs
left behind: those of the same user that are over an hour old and that it can lock. The
hour is for writers on another host, which a lock may not reach.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import functools
import os
import secrets
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from tf_imgcomp.errors import ImgcompError

_PREFIX, _SUFFIX = ".tf_imgcomp.", ".tmp"
_TRIES = 100  # To make a temporary that nobody else locks.
_LEFTOVER_SECONDS = 3600
_NO_LINKS = {  # What file systems without hard links answer, such as exFAT.
    *(errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK)
}
_UMASK = threading.Lock()
_being_written: set[Path] = set()  # Temporaries of this process.


def check_writable(path: Path, overwrite: bool, source: Path) -> None:
    """Checks early that the result for `source` can go to `path`.

    Raises:
        ImgcompError: If something is there that must not be replaced, or its folder
            cannot be written to.
        OSError: If links lead in a circle.
    """
    if path.exists() and source.exists() and path.samefile(source):
        raise ImgcompError("the result would replace its own input")
    _find_target(path, overwrite)


def write_atomically(path: Path, data: bytes, *, overwrite: bool) -> None:
    """Writes the bytes of a file; see `open_atomically`."""
    with open_atomically(path, overwrite=overwrite) as file, _naming(path):
        file.write(data)
        file.flush()


@contextlib.contextmanager
def open_atomically(path: Path, *, overwrite: bool) -> Iterator[BinaryIO]:
    """Opens a file for writing that appears under its name when it is complete.

    Its folder is made if missing. A replaced file's permissions are kept, and its group
    if the user may set it; without the group, its permissions are dropped. A new file
    has the permissions that the umask gives. File and folder are synced where the file
    system can do so.

    Args:
        path: The file to write. A symbolic link stays, and its target is replaced.
        overwrite: Whether a file or link at `path` may be replaced. If not, none is,
            even one that appears during the writing.

    Raises:
        ImgcompError: If something is at `path` that must not be replaced, or its folder
            cannot be written to.
        OSError: If the file cannot be written. After an exception before the rename,
            `path` is as it was, and the temporary is removed.
    """
    with _naming(path):
        target = _find_target(path, overwrite)
        target.parent.mkdir(parents=True, exist_ok=True)
        _clear_leftovers(target.parent.resolve())
        file, temporary = _locked_temporary(target.parent)
    _being_written.add(temporary)
    try:
        yield file
        with _naming(path):
            file.flush()
            _set_permissions(file.fileno(), target)
            os.fsync(file.fileno())
            if overwrite:
                os.replace(temporary, target)
            else:
                _rename_to_new(temporary, target)
            _sync_folder(target.parent)
    finally:
        temporary.unlink(missing_ok=True)
        _being_written.discard(temporary)
        with contextlib.suppress(OSError):  # What an error left in its buffer.
            file.close()


def abandon_all() -> None:
    """Removes what threads are writing, for a process that ends without them."""
    for temporary in tuple(_being_written):
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Makes the errors of the system name the path that the user gave."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from None


def _find_target(path: Path, overwrite: bool) -> Path:
    """The file to write: `path`, or what links lead to if that may be replaced."""
    if path.exists() and not path.is_file():
        raise ImgcompError(f"{path} exists and is not a file")
    if os.path.lexists(path) and not overwrite:  # A dangling link exists, too.
        raise _exists(path)
    target = _follow_links(path) if overwrite and path.is_symlink() else path
    folder = next(above for above in target.parents if os.path.lexists(above))
    if not folder.is_dir():
        raise ImgcompError(f"{path} cannot be written: {folder} is not a folder")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ImgcompError(f"{path} cannot be written: no permission for {folder}")
    return target


def _exists(path: Path) -> ImgcompError:
    return ImgcompError(f"{path} exists: set overwrite to replace it")


def _follow_links(path: Path) -> Path:
    """The file that a path leads to, which need not exist.

    Raises:
        OSError: If links lead in a circle.
    """
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        path.stat()
    return Path(os.path.realpath(path))


def _locked_temporary(folder: Path) -> tuple[BinaryIO, Path]:
    """Makes a temporary file, private and locked while it is open."""
    flags = os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_RDWR
    for _ in range(_TRIES):
        temporary = folder / f"{_PREFIX}{secrets.token_hex(8)}{_SUFFIX}"
        descriptor = os.open(temporary, flags, 0o600)
        # Before it was locked, another program may have locked or removed it.
        if _lock(descriptor) and _is_at(descriptor, temporary):
            return os.fdopen(descriptor, "wb"), temporary
        os.close(descriptor)
        temporary.unlink(missing_ok=True)
    raise OSError(errno.EAGAIN, "Other programs lock every new file in its folder")


def _lock(descriptor: int) -> bool:
    """Locks an open file, where the file system can; False if another has locked it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # Some file systems have no locks.
        pass
    return True


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether an open file is the one at a path."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.lstat(path))
    except FileNotFoundError:
        return False


@functools.cache  # Once in a run: folders may have many files.
def _clear_leftovers(folder: Path) -> None:
    """Removes the temporaries of killed runs."""
    for path in folder.glob(f"{_PREFIX}*{_SUFFIX}"):
        # Another run may hold the lock, or remove the file first.
        with contextlib.suppress(OSError):
            descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                if _is_old(os.fstat(descriptor)):
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    path.unlink()
            finally:
                os.close(descriptor)


def _is_old(status: os.stat_result) -> bool:
    """Whether this user wrote the file, last over an hour ago."""
    ours = stat.S_ISREG(status.st_mode) and status.st_uid == os.getuid()
    return ours and time.time() - status.st_mtime > _LEFTOVER_SECONDS


def _set_permissions(descriptor: int, target: Path) -> None:
    """Gives the new file the permissions of the one it replaces, or the umask's."""
    try:
        old = target.stat()
    except FileNotFoundError:
        os.fchmod(descriptor, 0o666 & ~_umask())
        return
    mode = old.st_mode & 0o777
    if os.fstat(descriptor).st_gid != old.st_gid:
        try:
            os.fchown(descriptor, -1, old.st_gid)
        except OSError:  # Not a member: another group must not get its permissions.
            mode &= ~stat.S_IRWXG
    os.fchmod(descriptor, mode)


def _umask() -> int:
    with _UMASK:
        mask = os.umask(0o077)  # It can only be read by setting it.
        os.umask(mask)
    return mask


def _rename_to_new(temporary: Path, target: Path) -> None:
    """Renames a file unless something is at `target`, which is then an error."""
    try:
        try:
            os.link(temporary, target)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            _claim_and_rename(temporary, target)
    except FileExistsError:
        raise _exists(target) from None


def _claim_and_rename(temporary: Path, target: Path) -> None:
    """Takes the name with an empty file, and renames over it if it is still there."""
    claim = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        if not _is_at(claim, target):
            raise FileExistsError
        os.replace(temporary, target)
    finally:
        if _is_at(claim, target):
            target.unlink()
        os.close(claim)


def _sync_folder(folder: Path) -> None:
    """Puts a rename on the disk, where a file system can sync folders."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
