#!/usr/bin/env -S python3 -I
"""Compresses images to .tfci files.

    bin/compress photo.jpg                         # Writes photo.tfci beside it.
    bin/compress --quality=70 --output=small/ holiday/ 'scans/*.tif'
    bin/compress --max_bytes=50000 --output=avatar.tfci portrait.png

Prints a line for each file: its bytes, bits per pixel and seconds. Exit code 1 if a
file failed, 2 for a usage error.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # No start-up noise.

import argparse
import sys
from collections.abc import Sequence

from tf_imgcomp.data import images, paths
from tf_imgcomp.errors import ImgcompError
from tf_imgcomp.export import files
from tf_imgcomp.export.coding import Goal
from tf_imgcomp_bin import command_line

PROGRAM = "compress"
DEFAULT_QUALITY = 50.0


def parse(argv: Sequence[str]) -> argparse.Namespace:
    number = command_line.number
    parser = command_line.Parser(PROGRAM, __doc__)
    parser.add_argument("inputs", metavar="INPUT", nargs="*", help="file, folder, glob")
    parser.add_argument("--model", metavar="ID", help="id or folder of a model")
    parser.add_argument("--list_models", action="store_true", help="print ids and end")
    goal = parser.add_mutually_exclusive_group()
    goal.add_argument(
        "--quality", type=number(1, 100), help="1 (smallest file) to 100 (default: 50)"
    )
    goal.add_argument("--target_bpp", type=number(0), help="best within bits per pixel")
    goal.add_argument("--target_psnr", type=number(0), help="smallest with this PSNR")
    goal.add_argument("--max_bytes", type=number(1, kind=int), help="best within bytes")
    command_line.add_output_flags(parser)
    parser.add_argument("--strip", action="store_true", help="drop ICC profile, EXIF")
    arguments = parser.parse_args(argv[1:])
    if not (arguments.inputs or arguments.list_models):
        parser.error("expected at least one INPUT")
    return arguments


def goal_of(arguments: argparse.Namespace) -> Goal:
    names = ("quality", "target_bpp", "target_psnr", "max_bytes")
    chosen = {name: getattr(arguments, name) for name in names}
    return Goal(**chosen) if any(chosen.values()) else Goal(quality=DEFAULT_QUALITY)


def compress(arguments: argparse.Namespace) -> int:
    from tf_imgcomp.export import models  # TensorFlow takes seconds to import.

    if arguments.list_models:
        print(*models.available(), sep="\n")
        return 0
    inputs = paths.expand_inputs(arguments.inputs, images.input_suffixes())
    jobs = paths.output_paths(inputs, arguments.output, files.SUFFIX)
    codec, goal = models.load(arguments.model or models.DEFAULT), goal_of(arguments)

    def work(source, target):
        report = files.compress_file(
            codec,
            source,
            target,
            goal,
            strip=arguments.strip,
            overwrite=arguments.overwrite,
        )
        return command_line.tell(PROGRAM, source, target, report)

    return command_line.each_file(PROGRAM, jobs, work)


def main(argv: Sequence[str]) -> int:
    arguments = parse(argv)
    try:
        return compress(arguments)
    except ImgcompError as error:
        command_line.complain(PROGRAM, error)
        return 1


def run():
    sys.exit(main(sys.argv))


if __name__ == "__main__":
    run()
