"""Checks that an image has the same file however the processor computes it.

    python benchmarks/one_file.py [--model=FOLDER] [--qualities=10,50] IMAGES...

Compresses every image in separate processes: with oneDNN and without, on one thread and
on two. Prints how many files of each process equal those of the first, byte for byte.
"""

import hashlib
import os
import subprocess
import sys

import measure
from absl import app, flags

_MODEL = flags.DEFINE_string(
    "model", str(measure.ROOT / "saved_models" / "fdram"), "Folder of a codec."
)
_QUALITIES = flags.DEFINE_list("qualities", ["10", "50"], "Qualities.")
_THREADS = flags.DEFINE_integer("threads", None, "Compress on them and print hashes.")


def print_hashes(images: list[str]) -> None:
    """Prints a line for each image and quality."""
    import tensorflow as tf

    from tf_imgcomp.data.images import read_image
    from tf_imgcomp.image_codecs import models

    tf.config.threading.set_intra_op_parallelism_threads(_THREADS.value)
    codec = models.load(_MODEL.value)
    for image in images:
        pixels = read_image(image).pixels
        for quality in map(float, _QUALITIES.value):
            strings = codec.compress(pixels, quality).strings
            print(hashlib.sha256(b"".join(strings)).hexdigest())


def hashes(onednn: int, threads: int) -> list[str]:
    """The hashes that a separate process prints."""
    return subprocess.run(
        [sys.executable, *sys.argv, f"--threads={threads}"],
        env={
            **os.environ,
            "TF_ENABLE_ONEDNN_OPTS": str(onednn),
            "TF_CPP_MIN_LOG_LEVEL": "3",
        },
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    ).stdout.split()


def main(argv: list[str]) -> None:
    if _THREADS.value:
        return print_hashes(argv[1:])
    first = hashes(onednn=1, threads=2)
    print("| oneDNN | threads | files as with oneDNN and two threads |\n|---|---|---|")
    for onednn, threads in ((1, 1), (0, 2), (0, 1)):
        same = sum(map(str.__eq__, first, hashes(onednn, threads)))
        print(f"| {'on' if onednn else 'off'} | {threads} | {same} of {len(first)} |")


if __name__ == "__main__":
    app.run(main)
