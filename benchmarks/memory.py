"""Compares the memory that large images take with what the check of memory allows.

    python benchmarks/memory.py [--models=fdram,mfca_pmcn] [--sizes=WxH,...] PHOTO...

Tiles the photos, mirrored, to pictures of these sizes. Compresses and decompresses each
in a process of its own, files included, as the programs do. "check" is what the codec
says before it reads pixels. "peak" is how much the process grows after the model is
loaded; "base" is the part of it that an image of 64x64 takes. A ratio is peak / check.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # No start-up noise.

import numpy as np
from absl import app, flags
from measure import tiled_picture
from PIL import Image

from tf_imgcomp.data.images import read_image

_MODELS = flags.DEFINE_list("models", ["fdram"], "Ids or folders of codecs.")
_SIZES = flags.DEFINE_list(
    "sizes",
    ["768x512", "2048x1363", "4000x3000", "6000x4000", "20000x500", "1x65000"],
    "WIDTHxHEIGHT.",
)
_QUALITY = flags.DEFINE_float("quality", 50.0, "Of all files.")
_PROGRAMS = flags.DEFINE_list("programs", ["compress", "decompress"], "What to run.")

# Prints what the check says, the base, and the peak, all in bytes.
MEASURED = """
import sys
from pathlib import Path
from tf_imgcomp.files.compression import compress_file, decompress_file
from tf_imgcomp.files.goals import Goal
from tf_imgcomp.image_codecs import models
def of_process(kind):
    lines = dict(
        line.split(":") for line in Path("/proc/self/status").read_text().splitlines()
    )
    return 1024 * int(lines[kind].split()[0])
program, model, quality, width, height, folder = sys.argv[1:]
folder = Path(folder)
codec = models.load(model)
loaded = of_process("VmRSS")
def compress(name):
    source, target = folder / f"{name}.png", folder / f"{name}.tfci"
    compress_file(codec, source, target, Goal(quality=float(quality)), overwrite=True)
def decompress(name):
    source, target = folder / f"{name}.tfci", folder / "out.png"
    decompress_file(lambda _: codec, source, target, overwrite=True)
job = compress if program == "compress" else decompress
job("small")
base = of_process("VmHWM") - loaded
job("large")
print(codec.memory(int(height), int(width)), base, of_process("VmHWM") - loaded)
"""


def measure(program: str, model: str, size: tuple[int, int], folder: Path) -> list:
    """What the check says, the base and the peak of a program, in bytes.

    Args:
        program: compress or decompress, which needs the files that compress wrote.
        model: id or folder of a codec.
        size: width and height of `large.png`.
        folder: has `large.png` and `small.png`.
    """
    arguments = program, model, _QUALITY.value, *size, folder
    run = subprocess.run(
        [sys.executable, "-c", MEASURED, *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return list(map(float, run.stdout.split()))


def main(argv: list[str]) -> None:
    photos = [read_image(path).pixels for path in argv[1:]]
    print("| model | image | job | check, MB | peak, MB | of it base | ratio |")
    print("|---|---|---|---|---|---|---|")
    for model in _MODELS.value:
        for name in _SIZES.value:
            width, height = map(int, name.split("x"))
            with tempfile.TemporaryDirectory() as folder:
                for file, size in (("large", (width, height)), ("small", (64, 64))):
                    picture = Image.fromarray(tiled_picture(photos, *size))
                    picture.save(f"{folder}/{file}.png", compress_level=1)
                for program in _PROGRAMS.value:
                    check, base, peak = np.array(
                        measure(program, model, (width, height), Path(folder))
                    )
                    cells = f"{check / 1e6:.0f} | {peak / 1e6:.0f} | {base / 1e6:.0f}"
                    row = f"{cells} | {peak / check:.2f}"
                    print(f"| {model} | {name} | {program} | {row} |", flush=True)


if __name__ == "__main__":
    app.run(main)
