"""Measures what coding several photos at the same time gains, as bin/compress does it.

    python benchmarks/photos.py FOLDER

Codes all photos of the folder one after the other, and as many at the same time as
bin/compress, reading and writing included. Each way has a process; they take turns.
Prints photos per second, medians, and their ratio. Eight photos of 768x512: half a
minute for each run.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # No start-up noise.

import contextlib
import functools
import multiprocessing
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import measure
from absl import app, flags

from tf_imgcomp.files import compression
from tf_imgcomp.files.goals import Goal
from tf_imgcomp.image_codecs import models
from tf_imgcomp.image_codecs.interface import ImageCodec
from tf_imgcomp_bin.command_line import file_jobs, startup

_MODEL = flags.DEFINE_string("model", models.DEFAULT, "Id or folder of a codec.")
_RUNS = flags.DEFINE_integer("runs", 3, "Runs of each way.")


@functools.cache
def load(model: str, at_once: int) -> ImageCodec:
    """The codec of a process."""
    load_here = functools.partial(models.load, workers=startup.workers(None))
    return startup.fast_startup(load_here, at_once=at_once)(model)


def compress(model: str, folder: Path, output: Path, at_once: int) -> None:
    """Compresses all photos of a folder."""
    codec = load(model, at_once)
    jobs = {photo: output / f"{photo.name}.tfci" for photo in sorted(folder.iterdir())}

    def work(source: Path, target: Path) -> compression.Report:
        goal = Goal(quality=50.0)
        return compression.compress_file(codec, source, target, goal, overwrite=True)

    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        assert file_jobs.each_file("compress", jobs, work, at_once) == 0


def main(argv: list[str]) -> None:
    folder = Path(argv[1])
    count = len(list(folder.iterdir()))
    context = multiprocessing.get_context("spawn")  # TensorFlow cannot fork.
    with tempfile.TemporaryDirectory() as output, contextlib.ExitStack() as processes:
        ways = {}
        for at_once in (1, file_jobs.photos_at_once(count, None)):
            process = processes.enter_context(ProcessPoolExecutor(1, context))
            job = (compress, _MODEL.value, folder, Path(output), at_once)
            ways[at_once] = functools.partial(_result, process, *job)
        seconds = measure.median_seconds(ways, _RUNS.value)
    for number, each in seconds.items():
        print(f"{number} at a time: {count / each:.2f} photos/s")
    slow, fast = seconds.values()
    print(f"ratio {slow / fast:.2f}")


def _result(process: ProcessPoolExecutor, *job) -> None:
    process.submit(*job).result()


if __name__ == "__main__":
    app.run(main)
