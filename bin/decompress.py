#!/usr/bin/env -S python3 -I
"""Decompresses .tfci files to images.

    bin/decompress photo.tfci                      # Writes photo.png beside it.
    bin/decompress --output=photo.jpg photo.tfci
    bin/decompress --format=webp --output=holiday/ small/

Prints a line for each file: its bytes, bits per pixel and seconds. Exit code 1 if a
file failed, 2 for a usage error.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # No start-up noise.

import argparse
import functools
import sys
from collections.abc import Sequence
from pathlib import Path

from tf_imgcomp.data import images, paths
from tf_imgcomp.errors import ImgcompError
from tf_imgcomp.export import files
from tf_imgcomp_bin import command_line

PROGRAM = "decompress"


def parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = command_line.Parser(PROGRAM, __doc__)
    parser.add_argument("inputs", metavar="INPUT", nargs="+", help="file, folder, glob")
    parser.add_argument(
        "--format", default="png", help="extension of results not named by --output"
    )
    command_line.add_output_flags(parser)
    return parser.parse_args(argv[1:])


def decompress(arguments: argparse.Namespace) -> int:
    suffix = "." + arguments.format.lstrip(".")
    images.output_format(Path("image" + suffix))
    inputs = paths.expand_inputs(arguments.inputs, {files.SUFFIX})
    jobs = paths.output_paths(inputs, arguments.output, suffix)
    from tf_imgcomp.export import models  # TensorFlow takes seconds to import.

    load = functools.cache(models.load)  # Once for all files.

    def work(source, target):
        report = files.decompress_file(
            load, source, target, overwrite=arguments.overwrite
        )
        return command_line.tell(PROGRAM, source, target, report)

    return command_line.each_file(PROGRAM, jobs, work)


def main(argv: Sequence[str]) -> int:
    arguments = parse(argv)
    try:
        return decompress(arguments)
    except ImgcompError as error:
        command_line.complain(PROGRAM, error)
        return 1


def run():
    sys.exit(main(sys.argv))


if __name__ == "__main__":
    run()
