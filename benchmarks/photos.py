"""Measures what coding several photos at the same time gains, as bin/compress does it.

    python benchmarks/photos.py FOLDER

Codes all photos of the folder one after the other, and as many at the same time as
bin/compress, reading and writing included; both in turns in one process. Prints photos
per second, medians, and their ratio. Eight photos of 768x512: a minute for each run.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # No start-up noise.

import contextlib
import functools
import tempfile
from pathlib import Path

import measure
from absl import app, flags

from tf_imgcomp.files import compression
from tf_imgcomp.files.goals import Goal
from tf_imgcomp.image_codecs import models
from tf_imgcomp.image_codecs.interface import ImageCodec
from tf_imgcomp_bin import command_line

_MODEL = flags.DEFINE_string("model", models.DEFAULT, "Id or folder of a codec.")
_RUNS = flags.DEFINE_integer("runs", 3, "Runs of each way.")


def compress(codec: ImageCodec, folder: Path, output: Path, at_once: int) -> None:
    """Compresses all photos of a folder."""
    jobs = {photo: output / f"{photo.name}.tfci" for photo in sorted(folder.iterdir())}

    def work(source: Path, target: Path) -> compression.Report:
        goal = Goal(quality=50.0)
        return compression.compress_file(codec, source, target, goal, overwrite=True)

    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        assert command_line.each_file("compress", jobs, work, at_once) == 0


def main(argv: list[str]) -> None:
    folder, at_once = Path(argv[1]), command_line.photos_at_once(None)
    codec = command_line.fast_startup(
        functools.partial(models.load, workers=command_line.workers(None))
    )(_MODEL.value)
    with tempfile.TemporaryDirectory() as output:
        ways = {
            number: functools.partial(compress, codec, folder, Path(output), number)
            for number in (1, at_once)
        }
        seconds = measure.median_seconds(ways, _RUNS.value)
    count = len(list(folder.iterdir()))
    for number, each in seconds.items():
        print(f"{number} at a time: {count / each:.2f} photos/s")
    print(f"ratio {seconds[1] / seconds[at_once]:.2f}")


if __name__ == "__main__":
    app.run(main)
