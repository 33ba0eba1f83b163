"""Runs programs in this process."""

from absl.testing import flagsaver

from tf_imgcomp_bin import command_line


def run(program, *arguments):
    """Runs a program with fresh flags; returns its exit code."""
    with flagsaver.flagsaver():
        argv = command_line.parse(program.PROGRAM, [program.PROGRAM, *arguments])
        return program.main(argv)
