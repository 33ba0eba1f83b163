"""Runs a program in a child process, whose sudden end costs one file and no others.

TensorFlow's C++ code ends its process when a small allocation fails, and Linux ends a
process when memory runs out: no Python code of that process can go on. So the program
runs in a child, forked before TensorFlow is imported, and tells its parent which files
are in work. After a sudden end another child works at the files that are left, one at a
time: then the file in work is the cause of a further end.
"""

from __future__ import annotations

import ctypes
import faulthandler
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from threading import Lock
from typing import Any, NoReturn, TypeVar

from tf_imgcomp_bin.command_line.messages import called, one_line
from tf_imgcomp_bin.command_line.standard_streams import STANDARD

INTERRUPTED = 130  # 128 plus the number of the signal, as in shells.
_FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SUDDEN = (signal.SIGABRT, signal.SIGBUS, signal.SIGKILL, signal.SIGSEGV)
_NO_THREAD = 127  # glibc's exit code if there is no memory for a thread.
_PR_SET_PDEATHSIG = 1  # Of Linux: the signal that a child gets when its parent ends.
_ONE_KEYPRESS = 1.0  # Seconds between signals that mean the same interruption, at most.

Value = TypeVar("Value")


@dataclass
class Course:
    """What has become of the files of a program, and of the children that work at them.

    Attributes:
        begun: sources of files in work; of each the target, None if something is there.
        results: by source what work returned, for files that are not told yet.
        causes: by source why a file cannot be worked at.
        told: sources whose end the user has been told; of each whether it was good.
        kept: values that are computed once, by name.
        one_at_a_time: whether a process ended suddenly, so that the next one works at
            one file at a time.
        parent: gets the changes that a child notes; None without one.
    """

    begun: dict[Path, Path | None] = field(default_factory=dict)
    results: dict[Path, Any] = field(default_factory=dict)
    causes: dict[Path, str] = field(default_factory=dict)
    told: dict[Path, bool] = field(default_factory=dict)
    kept: dict[str, Any] = field(default_factory=dict)
    one_at_a_time: bool = False
    parent: Connection | None = None
    _lock: Lock = field(default_factory=Lock)  # Files in work each have a thread.

    def begin(self, source: Path, target: Path) -> None:
        """Notes that a file is in work."""
        is_new = target != STANDARD and not os.path.lexists(target)
        self._note("begun", source, target if is_new else None)

    def end(self, source: Path, result: Any) -> None:
        """Notes what work returned."""
        self._note("results", source, result)

    def tell(self, source: Path, good: bool) -> None:
        """Notes that the user has been told."""
        self._note("told", source, good)

    def once(self, name: str, compute: Callable[[], Value]) -> Value:
        """What `compute` returns, here or in a child before this one."""
        if name in self.kept:
            return self.kept[name]
        value = compute()
        self._note("kept", name, value)
        return value

    def _note(self, table: str, key: Path | str, value: Any) -> None:
        if self.parent is not None:
            with self._lock:
                self.parent.send((table, key, value))

    def follow(self, changes: Connection) -> None:
        """Applies the changes that a child notes, until it ends."""
        while True:
            try:
                table, key, value = changes.recv()
            except (EOFError, OSError):  # It ended, perhaps within a message.
                return
            getattr(self, table)[key] = value
            if table in ("results", "told"):
                self.begun.pop(key, None)

    def recover(self, cause: str) -> None:
        """Decides what becomes of the files that were in work at a sudden end."""
        for source, target in self.begun.items():
            # A file appears under its name when it is whole; see `atomic_files`.
            if target is not None and target.is_file() and target.stat().st_size:
                told = "written; its process ended before it could tell more"
                self.results[source] = one_line(f"{source} -> {target}: {told}")
            elif len(self.begun) == 1:
                self.causes[source] = cause
            elif source == STANDARD:
                self.causes[source] = f"{cause}; it cannot be read a second time"
        self.begun.clear()
        self.one_at_a_time = True


course = Course()  # Of this process.


def supervised(program: str, work: Callable[[], int]) -> int:
    """Returns the exit code of `work`, which runs in children of this process.

    Args:
        program: Its name, for its messages.
        work: The program. It tells `course` of its files.
    """
    if not hasattr(os, "fork"):
        return work()
    while True:
        code = _run_in_child(work)
        if code >= 0 and code != _NO_THREAD:
            return code
        if code < 0 and -code not in _SUDDEN:
            _end_by(-code)
        name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        cause = f"ended by {name}, most likely because there was too little memory"
        if not course.begun:
            _complain(program, cause)
            return 1
        course.recover(cause)


def _complain(program: str, message: str) -> None:
    """Prints a message, without tqdm, whose lock the next child would inherit."""
    print(one_line(f"{called(program)}: {message}"), file=sys.stderr, flush=True)


def _run_in_child(work: Callable[[], int]) -> int:
    """The exit code of a child; of one that ended by a signal, minus its number."""
    sys.stdout.flush()
    sys.stderr.flush()
    # Ignored, it would hide how a child ended.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    changes, course.parent = Pipe(duplex=False)
    parent, handlers = os.getpid(), {}
    signal.pthread_sigmask(signal.SIG_BLOCK, _FORWARDED)  # Until it has its handlers.
    child = os.fork()
    if child == 0:
        changes.close()
        _end_with(parent)
        _run(work)
    course.parent.close()
    for number in _FORWARDED:
        handlers[number] = signal.signal(number, lambda n, _: os.kill(child, n))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _FORWARDED)
    course.follow(changes)
    _, status = os.waitpid(child, 0)
    for number, handler in handlers.items():
        signal.signal(number, handler)
    changes.close()
    return os.waitstatus_to_exitcode(status)


def _run(work: Callable[[], int]) -> NoReturn:
    """Runs the program and ends the child, without the exit handlers of its parent."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _Interruption())
    faulthandler.disable()  # absl turns it on; its stacks would hide the parent's line.
    exit_code = 1
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _FORWARDED)
        exit_code = work()
    except SystemExit as end:
        exit_code = int(end.code or 0)
    except KeyboardInterrupt:
        exit_code = INTERRUPTED
    except BaseException as error:
        if "can't start new thread" in str(error):  # Python's words for the same.
            exit_code = _NO_THREAD
        else:
            traceback.print_exc()
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except OSError:  # The disk is full, for example.
            exit_code = max(exit_code, 1)
        finally:
            os._exit(exit_code)


class _Interruption:
    """Raises; a terminal sends the signal to child and parent, who forwards it."""

    _last = -_ONE_KEYPRESS

    def __call__(self, number: int, frame: Any) -> None:
        now = time.monotonic()
        if now - self._last > _ONE_KEYPRESS:
            self._last = now
            raise KeyboardInterrupt


def _end_with(parent: int) -> None:
    """Ends this process when its parent ends, even by SIGKILL."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _end_by(number: int) -> NoReturn:
    """Ends this process by the signal that its child ended by."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    raise AssertionError("a signal that ends a process ended it")
