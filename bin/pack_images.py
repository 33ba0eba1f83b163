#!/usr/bin/env -S python3 -I
"""Packs photos into one file for portable/train.py.

    bin/pack_images PHOTOS --output=photos.zip --max_megabytes=60

PHOTOS is a folder. Files are packed unchanged. A file that Pillow alone would decode to
other pixels (rotated, 16 bits, HEIC) is packed as PNG. If not all fit, a random sample
of them is packed. One photo in fifty is kept apart for validation.
"""

from collections.abc import Sequence
from pathlib import Path

from absl import app, flags
from tqdm import tqdm

from tf_imgcomp.data.packing import pack_photos
from tf_imgcomp_bin.command_line import input_flags, messages, program

PROGRAM = "pack_images"

flags.adopt_module_key_flags(input_flags)
_OUTPUT = flags.DEFINE_string("output", None, "File to write.", required=True)
_MEGABYTES = flags.DEFINE_float(
    "max_megabytes",
    1e6,
    "Largest size of the file, in millions of bytes.",
    lower_bound=0,
)


def main(argv: Sequence[str]) -> int:
    if len(argv) != 2:
        raise app.UsageError(f"Expected one folder, received {argv[1:]}.")
    return program.guard(PROGRAM, lambda: pack(Path(argv[1])))


def pack(folder: Path) -> int:
    output = Path(_OUTPUT.value)
    limit = input_flags.MAX_PIXELS.value
    packed = pack_photos(folder, output, 1e6 * _MEGABYTES.value, tqdm, limit)
    for name in packed.unreadable:
        messages.complain(PROGRAM, f"{name}: not readable, left out")
    print(
        f"{output}: {output.stat().st_size / 1e6:.1f} MB, {packed.train} photos to "
        f"train on, {packed.held_out} held out, no room for {packed.left}"
    )
    return 0


def run() -> None:
    program.run(PROGRAM, main)


if __name__ == "__main__":
    run()
