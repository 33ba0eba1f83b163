"""Runs programs in this process."""

from absl.testing import flagsaver

from tf_imgcomp_bin.command_line.program import parse


def run(program, *arguments):
    """Runs a program with fresh flags; returns its exit code."""
    with flagsaver.flagsaver():
        argv = parse(program.PROGRAM, [program.PROGRAM, *arguments])
        return program.main(argv)
