"""Runs a program in a child process, whose sudden end costs one file and no others.

TensorFlow's C++ code ends its process when a small allocation fails, and Linux ends a
process when memory runs out: no Python code of that process can go on. So the program
runs in a child, forked before TensorFlow is imported, and tells its parent which files
are in work. After a sudden end the parent starts another child for the files that are
left. If several files were in work, each of them is first worked at alone, to find the
one that is the cause.
"""

from __future__ import annotations

import ctypes
import faulthandler
import os
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from threading import Lock
from typing import Any, NoReturn

from tf_imgcomp_bin.command_line.messages import called, one_line

_FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SUDDEN = (signal.SIGABRT, signal.SIGBUS, signal.SIGKILL, signal.SIGSEGV)
_NO_THREAD = 127  # glibc's exit code if there is no memory for a thread.
_PR_SET_PDEATHSIG = 1  # Of Linux: the signal that a child gets when its parent ends.


@dataclass
class Course:
    """What has become of the files of a program.

    Attributes:
        begun: sources of files in work, in the order in which work began.
        results: what work returned for files that are not told yet, by source.
        told: sources of files whose end, good or bad, the user has been told.
        alone: the only source to work at; None: all.
        parent: gets the changes; None without one.
    """

    begun: list[Path] = field(default_factory=list)
    results: dict[Path, Any] = field(default_factory=dict)
    told: set[Path] = field(default_factory=set)
    alone: Path | None = None
    parent: Connection | None = None
    _lock: Lock = field(default_factory=Lock)  # Files in work each have a thread.

    def left(self, sources: list[Path]) -> list[Path]:
        """Those of some sources that this process tells of, in their order."""
        return [
            source
            for source in sources
            if source not in self.told and self.alone in (None, source)
        ]

    def begin(self, source: Path) -> None:
        """Notes that a file is in work."""
        self._note("begun", source)

    def end(self, source: Path, result: Any) -> None:
        """Notes what work returned."""
        self._note("results", source, result)

    def tell(self, source: Path) -> None:
        """Notes that the user has been told."""
        self._note("told", source)

    def _note(self, *change: Any) -> None:
        if self.parent is not None:
            with self._lock:
                self.parent.send(change)

    def follow(self, changes: Connection) -> None:
        """Applies the changes that a child notes, until it ends."""
        self.begun.clear()
        while True:
            try:
                kind, source, *result = changes.recv()
            except (EOFError, OSError):  # It ended, perhaps within a message.
                return
            if kind == "begun":
                self.begun.append(source)
                continue
            if source in self.begun:
                self.begun.remove(source)
            if kind == "results":
                (self.results[source],) = result
            else:
                self.told.add(source)


course = Course()  # Of this process.


def supervised(program: str, work: Callable[[], int]) -> int:
    """Returns the exit code of `work`, which runs in children of this process.

    Args:
        program: Its name, for its messages.
        work: The program. It tells `course` of its files.
    """
    if not hasattr(os, "fork"):
        return work()
    exit_code, suspects = 0, list[Path]()
    while True:
        course.alone = suspects.pop(0) if suspects else None
        code = _run_in_child(work)
        if code >= 0 and code != _NO_THREAD:
            exit_code = max(exit_code, code)
            if course.alone is None or exit_code > 1:
                return exit_code
            continue
        if code < 0 and -code not in _SUDDEN:
            _end_by(-code)
        if len(course.begun) > 1:
            suspects = [*course.begun, *suspects]
            continue
        name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        message = f"ended by {name}, most likely because there was too little memory"
        if not course.begun:
            _complain(program, message)
            return 1
        (source,) = course.begun
        _complain(program, f"{source}: {message}")
        course.told.add(source)
        exit_code = 1


def _complain(program: str, message: str) -> None:
    """Prints a message, without tqdm: children would inherit its lock."""
    print(one_line(f"{called(program)}: {message}"), file=sys.stderr, flush=True)


def _run_in_child(work: Callable[[], int]) -> int:
    """The exit code of a child; of one that ended by a signal, minus its number."""
    sys.stdout.flush()
    sys.stderr.flush()
    signal.signal(
        signal.SIGCHLD, signal.SIG_DFL
    )  # Ignored, it hides how a child ended.
    changes, course.parent = Pipe(duplex=False)
    parent, handlers = os.getpid(), {}
    child = os.fork()
    if child == 0:
        changes.close()
        _end_with(parent)
        _run(work)
    course.parent.close()
    for number in _FORWARDED:
        handlers[number] = signal.signal(number, lambda n, _: os.kill(child, n))
    course.follow(changes)
    _, status = os.waitpid(child, 0)
    for number, handler in handlers.items():
        signal.signal(number, handler)
    changes.close()
    return os.waitstatus_to_exitcode(status)


def _run(work: Callable[[], int]) -> NoReturn:
    """Runs the program and ends the child, without the exit handlers of its parent."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt_once)
    faulthandler.disable()  # absl turns it on; its stacks would hide the parent's line.
    exit_code = 1
    try:
        exit_code = work()
    except SystemExit as end:
        exit_code = end.code if isinstance(end.code, int) else 1
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


def _interrupt_once(number: int, frame: Any) -> NoReturn:
    """Raises; a terminal sends the signal to child and parent, who forwards it."""
    signal.signal(number, signal.SIG_IGN)
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
