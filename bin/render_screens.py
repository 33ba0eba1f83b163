#!/usr/bin/env -S python3 -I
"""Renders pictures of screens: text, plots, interfaces and pixel art in turn.

    bin/render_screens --count=140 --output=screens

Writes screen_NUMBER_KIND.png files. A seed gives the same pictures again on the same
versions of NumPy, Pillow and Matplotlib. Seed 1003 is kept for evaluation, so do not
train on it; its eight screens, two of each kind, are:

    bin/render_screens --count=8 --seed=1003 --width=768 --height=512 --output=FOLDER
"""

from collections.abc import Sequence
from pathlib import Path

from absl import flags

from tf_imgcomp.atomic_files import open_atomically
from tf_imgcomp.data.screens import render
from tf_imgcomp_bin.command_line import messages, program

PROGRAM = "render_screens"

_OUTPUT = flags.DEFINE_string("output", None, "Folder to write, made if missing.")
_COUNT = flags.DEFINE_integer("count", 100, "Number of pictures.", lower_bound=1)
_SEED = flags.DEFINE_integer("seed", 1, "Seed of the set.", lower_bound=0)
_WIDTH = flags.DEFINE_integer("width", 640, "Pixels.", lower_bound=render.SMALLEST)
_HEIGHT = flags.DEFINE_integer("height", 640, "Pixels.", lower_bound=render.SMALLEST)


def main(argv: Sequence[str]) -> int:
    if len(argv) > 1:
        message = f"expected flags only, received {' '.join(argv[1:])}"
        program.end_with_usage_error(PROGRAM, message)
    if not _OUTPUT.value:
        program.end_with_usage_error(PROGRAM, "expected --output")
    return program.guard(PROGRAM, write_screens)


def write_screens() -> int:
    output = Path(_OUTPUT.value)
    for number in messages.progress(range(_COUNT.value)):
        image = render.render(_SEED.value, number, _WIDTH.value, _HEIGHT.value)
        path = output / render.file_name(number)
        with open_atomically(path, overwrite=True) as file:
            image.save(file, "PNG")
    print(f"{output}: {_COUNT.value} pictures of {_WIDTH.value}x{_HEIGHT.value}")
    return 0


def run() -> None:
    program.run(PROGRAM, main)


if __name__ == "__main__":
    run()
