"""Measures memory and time of large images, of a region of them, and of a preview.

    python benchmarks/large.py --model=fdram --sizes=2048x1363,10000x10000 PHOTO..

Tiles the photos, mirrored, to pictures of these sizes. Compresses and decompresses each
in a process of its own, after a small image that takes what a first image costs.
Prints wall time and CPU time, files included, and the peak memory beyond that after
importing TensorFlow, without the pixels themselves. A region is 1024x1024 pixels in the
middle; a preview has a scale of 1/8. Both are short and run at least five times.
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

from tf_imgcomp.image_files.images import read_image

_MODEL = flags.DEFINE_string("model", "fdram", "Id or folder of a codec.")
_SIZES = flags.DEFINE_list("sizes", ["2048x1363", "10000x10000"], "WIDTHxHEIGHT.")
_QUALITY = flags.DEFINE_float("quality", 50.0, "Of all files.")
_RUNS = flags.DEFINE_integer(
    "runs", 1, "Runs, of parts at least 5; medians are printed."
)

# Prints megabytes, and for each job its name, wall seconds and CPU seconds.
MEASURED = """
import sys, time, tensorflow as tf
from pathlib import Path
from tf_imgcomp.files.compression import compress_file, decompress_file
from tf_imgcomp.files.goals import Goal
from tf_imgcomp.image_codecs import models
from tf_imgcomp.regions import Region
def peak():
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
program, model, quality, width, height, runs, folder = sys.argv[1:]
width, height, runs, folder = int(width), int(height), int(runs), Path(folder)
before = peak()
codec = models.load(model)
def compress(name):
    goal = Goal(quality=float(quality))
    source, target = folder / f"{name}.ppm", folder / f"{name}.tfci"
    compress_file(codec, source, target, goal, overwrite=True)
def decompress(name, **part):
    source, target = folder / f"{name}.tfci", folder / "out.png"
    decompress_file(lambda _: codec, source, target, overwrite=True, **part)
jobs = {"compress": lambda: compress("large")}
compress("small")
if program == "decompress":
    jobs = {"decompress": lambda: decompress("large")}
    decompress("small")
    decompress("small", scale=8)
    if min(width, height) > 1024:
        middle = Region((height - 1024) // 2, (width - 1024) // 2, 1024, 1024)
        jobs["region"] = lambda: decompress("large", region=middle)
    jobs["preview"] = lambda: decompress("large", scale=8)
printed = []
for name, job in jobs.items():
    for _ in range(max(runs, 5) if name in ("region", "preview") else runs):
        wall, cpu = time.perf_counter(), time.process_time()
        job()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        printed += name, wall, cpu
    if len(jobs) == 1 or name == "decompress":
        memory = (peak() - before) / 1e3
print(memory, *printed)
"""


def measure(program: str, width: int, height: int, folder: Path) -> tuple:
    """Runs the jobs of a program in a process of its own.

    Returns:
        Megabytes, and for each job the medians of wall and CPU seconds.
    """
    size = width, height, _RUNS.value
    arguments = program, _MODEL.value, _QUALITY.value, *size, folder
    run = subprocess.run(
        [sys.executable, "-c", MEASURED, *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    memory, *printed = run.stdout.split()
    seconds: dict[str, list] = {}
    for name, *times in zip(printed[::3], printed[1::3], printed[2::3]):
        seconds.setdefault(name, []).append(list(map(float, times)))
    medians = {name: np.median(times, axis=0) for name, times in seconds.items()}
    return float(memory), medians


def main(argv: list[str]) -> None:
    photos = [read_image(path).pixels for path in argv[1:]]
    print("| image | job | memory, MB | s | CPU s | CPU s/megapixel |")
    print("|---|---|---|---|---|---|")
    for size in _SIZES.value:
        width, height = map(int, size.split("x"))
        megapixels = width * height / 1e6
        with tempfile.TemporaryDirectory() as folder:
            for name, shape in (("large", (width, height)), ("small", (1100, 300))):
                Image.fromarray(tiled_picture(photos, *shape)).save(
                    f"{folder}/{name}.ppm"
                )
            for program in ("compress", "decompress"):
                memory, jobs = measure(program, width, height, Path(folder))
                for job, (wall, cpu) in jobs.items():
                    shown = f"{memory - 3 * megapixels:.0f}" if job == program else ""
                    row = f"{shown} | {wall:.2f} | {cpu:.2f} | {cpu / megapixels:.3f}"
                    print(f"| {size} | {job} | {row} |", flush=True)


if __name__ == "__main__":
    app.run(main)
