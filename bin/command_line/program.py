"""How a program starts and ends: its flags, errors, exit codes."""

from __future__ import annotations

import functools
import os
import re
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from absl import app, flags, logging

import tf_imgcomp
from tf_imgcomp.atomic_files import abandon_all
from tf_imgcomp.errors import ImgcompError
from tf_imgcomp_bin.command_line import completion, messages
from tf_imgcomp_bin.command_line.supervision import INTERRUPTED, supervised

# TensorFlow enables version-2 behaviour late in its import. If absl already runs a
# program, version-1 behaviour remains, where `==` compares tensors by identity.
os.environ["TF2_BEHAVIOR"] = "1"

_FLAGFILES = Path(__file__).parents[1] / "flagfiles"


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
    return completion.script(messages.called(Path(sys.argv[0]).stem), shown)


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


def run(
    program: str, main: Callable[[Sequence[str]], int], in_child: bool = False
) -> None:
    """Runs a program and ends Python with its exit code.

    Args:
        program: Its name, for its messages.
        main: Called with the arguments that are no flags, the program's path first.
            Its module's docstring and flags are what --help shows.
        in_child: Whether it runs in a child process, see `supervision`.
    """
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # For `bin/inspect ... | head`.
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:  # The shell's `>&-` closed it.
            setattr(sys, name, open(os.devnull, "r+"))
    # A file's name may be any bytes.
    sys.stdout.reconfigure(errors="backslashreplace")
    # Of an installed program, Python's main module is a stub that pip wrote.
    documentation = sys.modules[main.__module__].__doc__ or ""
    sys.modules["__main__"].__doc__ = messages.as_called(documentation)
    for module in (main.__module__, __name__):
        for flag in flags.FLAGS.get_key_flags_for_module(module):
            flag.help = messages.as_called(flag.help)
            flags.FLAGS.register_key_flag_for_module(sys.argv[0], flag)
    app.run(
        functools.partial(_run_to_the_end, main)
        if not in_child
        else lambda argv: guard(
            program,
            lambda: supervised(program, functools.partial(_run_to_the_end, main, argv)),
        ),
        flags_parser=functools.partial(parse, program),
    )


def _run_to_the_end(main: Callable[[Sequence[str]], int], argv: Sequence[str]) -> int:
    """Returns the exit code, but ends Python if the user interrupted the program.

    Threads that compute a tile cannot be stopped, and Python would wait for them.
    """
    exit_code = main(argv)
    if exit_code == INTERRUPTED:
        abandon_all()
        sys.stdout.flush()
        os._exit(exit_code)
    return exit_code


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
    messages.complain(program, f"{message} (see {messages.called(program)} --help)")
    sys.exit(2)


def guard(program: str, work: Callable[[], int]) -> int:
    """Returns the exit code of `work`; an expected error becomes one line."""
    try:
        return work()
    except (ImgcompError, OSError) as error:
        messages.complain(program, messages.reason(error))
        return 1
    except KeyboardInterrupt:
        messages.complain(program, "interrupted")
        return INTERRUPTED
