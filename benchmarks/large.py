"""Measures memory and time of large images.

    python benchmarks/large.py --model=fdram --sizes=2048x1363,10000x10000 PHOTO..

Tiles the photos, mirrored, to pictures of these sizes, and compresses and decompresses
each file in a process of its own. Prints the peak memory beyond that after importing
TensorFlow, without the pixels themselves, and seconds per megapixel, files included.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # No start-up noise.

import numpy as np
from absl import app, flags
from PIL import Image

from tf_imgcomp.data.images import read_image

_MODEL = flags.DEFINE_string("model", "fdram", "Id or folder of a codec.")
_SIZES = flags.DEFINE_list("sizes", ["2048x1363", "10000x10000"], "WIDTHxHEIGHT.")
_QUALITY = flags.DEFINE_float("quality", 50.0, "Of all files.")

MEASURED = """
import sys, time, tensorflow as tf
from pathlib import Path
from tf_imgcomp.files.compression import compress_file, decompress_file
from tf_imgcomp.files.goals import Goal
from tf_imgcomp.image_codecs import models
def peak():
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
program, model, source, target, quality = sys.argv[1:]
before = peak()
codec = models.load(model)
source, target = Path(source), Path(target)
if program == "compress":
    report = compress_file(codec, source, target, Goal(quality=float(quality)))
else:
    report = decompress_file(lambda _: codec, source, target)
print((peak() - before) / 1e3, report.seconds)
"""


def picture(photos: list[np.ndarray], width: int, height: int) -> np.ndarray:
    """The photos below each other, mirrored, as often as it takes."""
    narrowest = min(photo.shape[1] for photo in photos)
    block = np.concatenate([photo[:, :narrowest] for photo in photos])
    block = np.concatenate([block, block[:, ::-1]], axis=1)
    block = np.concatenate([block, block[::-1]])
    repeated = -(-height // block.shape[0]), -(-width // block.shape[1]), 1
    return np.tile(block, repeated)[:height, :width]


def measure(program: str, source: Path, target: Path) -> tuple[float, float]:
    """Megabytes and seconds of a program, in a process of its own."""
    arguments = program, _MODEL.value, source, target, _QUALITY.value
    run = subprocess.run(
        [sys.executable, "-c", MEASURED, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=True,
    )
    memory, seconds = map(float, run.stdout.split())
    return memory, seconds


def main(argv: list[str]) -> None:
    photos = [read_image(path).pixels for path in argv[1:]]
    print("| image | program | memory, MB | s/megapixel |\n|---|---|---|---|")
    for size in _SIZES.value:
        width, height = map(int, size.split("x"))
        megapixels = width * height / 1e6
        with tempfile.TemporaryDirectory() as folder:
            source, coded, back = (
                Path(folder) / name for name in ("in.ppm", "photo.tfci", "out.png")
            )
            Image.fromarray(picture(photos, width, height)).save(source)
            for program, files in (
                ("compress", (source, coded)),
                ("decompress", (coded, back)),
            ):
                memory, seconds = measure(program, *files)
                memory -= 3 * megapixels
                row = f"{memory:.0f} | {seconds / megapixels:.2f}"
                print(f"| {size} | {program} | {row} |", flush=True)


if __name__ == "__main__":
    app.run(main)
