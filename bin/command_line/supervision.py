"""Runs a program in a child process, whose sudden end costs one file and no others.

TensorFlow's C++ code ends its process when a small allocation fails, and Linux ends a
process when memory runs out: no Python code of that process can go on. So the program
runs in a child, forked before TensorFlow is imported, and tells its parent which files
are in work. After a sudden end another child works at the files that are left, one at a
time. If the process ends again, the file in work is the cause.
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
from typing import Any, NamedTuple, NoReturn, TypeVar

from tf_imgcomp.errors import ImgcompError
from tf_imgcomp_bin.command_line.messages import called, one_line
from tf_imgcomp_bin.command_line.standard_streams import STANDARD

INTERRUPTED = 130  # 128 plus the number of the signal, as in shells.
_FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_NO_THREAD = 127  # glibc's exit code if there is no memory for a thread.
_PR_SET_PDEATHSIG = 1  # Of Linux: the signal that a child gets when its parent ends.
_ONE_KEYPRESS = 1.0  # Seconds in which two signals mean the same interruption.

Value = TypeVar("Value")


@dataclass
class Course:
    """What has become of the files of a program, and of the children that work at them.

    Attributes:
        begun: by source, for files in work: the target; None if it existed before.
        results: by source, for files that are not reported yet: what work returned, or
            an error.
        told: by source, for files that are reported to the user: whether all went well.
        kept: values that are computed once, by name.
        one_at_a_time: whether a process ended suddenly, so that the next one works at
            one file at a time.
        parent: gets the changes that a child notes; None without one.
    """

    begun: dict[Path, Path | None] = field(default_factory=dict)
    results: dict[Path, Any] = field(default_factory=dict)
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
        """Notes what work returned, or its error."""
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

    def follow(self, changes: Connection) -> bool:
        """Applies the changes that a child notes, until it ends; whether it had any."""
        noted = False
        while True:
            try:
                table, key, value = changes.recv()
            except (EOFError, OSError):  # It ended, perhaps within a message.
                return noted
            noted = True
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
                self.results[source] = ImgcompError(cause)
            elif source == STANDARD:
                again = f"{cause}; it cannot be read a second time"
                self.results[source] = ImgcompError(again)
        self.begun.clear()
        self.one_at_a_time = True

    def untold(self) -> list[str]:
        """A line for each file whose result the user has not been told."""
        return [
            f"{source}: {result if isinstance(result, Exception) else 'done'}"
            for source, result in self.results.items()
            if source not in self.told
        ]


course = Course()  # Of this process.


def supervised(program: str, work: Callable[[], int]) -> int:
    """Returns the exit code of `work`, which runs in children of this process.

    Args:
        program: Its name, for its messages.
        work: The program. It tells `course` of its files.

    Raises:
        KeyboardInterrupt: If a child ends suddenly after an interruption.
        OSError: If there is no memory for a child.
    """
    while True:
        end = _run_in_child(work)
        if end.code >= 0 and end.code != _NO_THREAD:
            return end.code
        if -end.code in (*_FORWARDED, signal.SIGPIPE):
            _end_by(-end.code)
        if end.interrupted:
            raise KeyboardInterrupt
        how = f"exit code {end.code}"
        if end.code < 0:
            how = signal.Signals(-end.code).name
        cause = f"ended by {how}, most likely because there was too little memory"
        if not end.noted:
            for line in course.untold():
                _complain(program, line)
            _complain(program, f"{cause}; the files not named here are not done")
            return 1
        course.recover(cause)


class _End(NamedTuple):
    """How a child ended.

    Attributes:
        code: its exit code, or minus the number of the signal that ended it.
        noted: whether it noted anything in `course`.
        interrupted: whether SIGINT was forwarded to it.
    """

    code: int
    noted: bool
    interrupted: bool


def _complain(program: str, message: str) -> None:
    """Prints a message, without tqdm, whose lock the next child would inherit."""
    print(one_line(f"{called(program)}: {message}"), file=sys.stderr, flush=True)


def _run_in_child(work: Callable[[], int]) -> _End:
    sys.stdout.flush()
    sys.stderr.flush()
    # An ignored SIGCHLD would hide how a child ended.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    changes, course.parent = Pipe(duplex=False)
    parent, forwarded = os.getpid(), list[int]()
    # Signals wait while their handlers change.
    signal.pthread_sigmask(signal.SIG_BLOCK, _FORWARDED)
    child = os.fork()
    if child == 0:
        changes.close()
        _end_with(parent)
        _run(work)
    course.parent.close()

    def forward(number: int, _: Any) -> None:
        forwarded.append(number)
        os.kill(child, number)

    handlers = {number: signal.signal(number, forward) for number in _FORWARDED}
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _FORWARDED)
    noted = course.follow(changes)
    signal.pthread_sigmask(signal.SIG_BLOCK, _FORWARDED)
    _, status = os.waitpid(child, 0)
    for number, handler in handlers.items():
        signal.signal(number, handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _FORWARDED)
    changes.close()
    code = os.waitstatus_to_exitcode(status)
    return _End(code, noted, signal.SIGINT in forwarded)


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
        if "can't start new thread" in str(error):  # Python's words for _NO_THREAD.
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
    """Raises once for two signals: a terminal's, and the one that the parent sends."""

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
