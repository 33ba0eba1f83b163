"""Compares the memory that large images take with what the check of memory allows.

    python benchmarks/memory.py [--models=fdram,mfca_pmcn] [--sizes=WxH,...] PHOTO...

Tiles the photos, mirrored, to pictures of these sizes. Compresses and decompresses each
in a process of its own, files included, as the programs do. "check" is what the codec
says before it reads pixels. "peak" is how much the process grows after the model is
loaded, with the process of FFmpeg if it starts one; "base" is the part of it that an
image of 64x64 takes. A ratio is peak / check.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # No start-up noise.

import numpy as np
from absl import app, flags
from measure import tiled_picture
from PIL import Image

from tf_imgcomp.image_codecs.effort import FAST
from tf_imgcomp.image_files.images import read_image
from tf_imgcomp.postfilter.ensembles import ENSEMBLES

_MODELS = flags.DEFINE_list("models", ["fdram"], "Ids or folders of codecs.")
_SIZES = flags.DEFINE_list(
    "sizes",
    ["768x512", "2048x1363", "4000x3000", "6000x4000", "20000x500", "1x65000"],
    "WIDTHxHEIGHT.",
)
_QUALITY = flags.DEFINE_float("quality", 50.0, "Of all files.")
_EFFORT = flags.DEFINE_integer("effort", FAST, "Of the encoder, as --effort.")
_ENSEMBLE = flags.DEFINE_enum("ensemble", "none", list(ENSEMBLES), "As --ensemble.")
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
program, model, quality, effort, ensemble, width, height, folder = sys.argv[1:]
folder = Path(folder)
codec = models.load(model).with_effort(int(effort))
if ensemble != "none":
    codec = codec.with_ensemble(ensemble)
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
check = getattr(codec, f"memory_to_{program}")
print(check(int(height), int(width)), loaded, base, of_process("VmHWM") - loaded)
"""


def measure(program: str, model: str, size: tuple[int, int], folder: Path) -> list:
    """What the check says, the base and the peak of a program, in bytes.

    Args:
        program: compress or decompress, which needs the files that compress wrote.
        model: id or folder of a codec.
        size: width and height of `large.png`.
        folder: has `large.png` and `small.png`.
    """
    options = _QUALITY.value, _EFFORT.value, _ENSEMBLE.value
    arguments = program, model, *options, *size, folder
    with subprocess.Popen(
        [sys.executable, "-c", MEASURED, *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        of_all = 0
        while process.poll() is None:
            of_all = max(of_all, _with_ffmpeg(process.pid))
            time.sleep(0.01)
        output = process.stdout.read()
    if process.returncode:
        raise SystemExit(f"{program} failed: {model}")
    check, loaded, base, peak = map(float, output.split())
    return [check, base, max(peak, of_all - loaded)]


def _with_ffmpeg(leader: int) -> int:
    """Resident bytes of a process and of FFmpeg, if it runs in the same session."""
    pages, program = 0, os.path.realpath(sys.executable)
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # Of one that has ended.
            number = int(folder.name)
            # Until a new process runs FFmpeg, its memory is that of its parent.
            is_ffmpeg = number != leader and os.readlink(folder / "exe") != program
            if os.getsid(number) == leader and (is_ffmpeg or number == leader):
                pages += int((folder / "statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


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
