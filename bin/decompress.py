#!/usr/bin/env -S python3 -I
"""Decompresses .tfci files to images.

    bin/decompress photo.tfci                      # Writes photo.png beside it.
    bin/decompress --output=photo.jpg photo.tfci
    bin/decompress --format=webp --output=holiday/ small/
    bin/decompress --region=8000,2000,1024,768 scan.tfci   # A part, without the rest.
    bin/decompress --scale=1/8 scan.tfci                   # A preview, much faster.
    bin/decompress --server=kserve://localhost:8500 photo.tfci    # See bin/serve.
    bin/decompress --output=- --format=jpg photo.tfci > photo.jpg

An input is a file, a folder, a glob, or - for standard input. Prints a line for each
file: its bytes, bits per pixel and seconds. Exit code 1 if a file failed, 2 for a usage
error.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # No start-up noise.

import functools
import re
import threading
from collections.abc import Sequence
from pathlib import Path

from absl import flags

from tf_imgcomp.files import compression
from tf_imgcomp.files.compression import Report
from tf_imgcomp.image_codecs import models
from tf_imgcomp.image_files import images
from tf_imgcomp.regions import Region
from tf_imgcomp_bin.command_line import (
    coding_flags,
    file_jobs,
    input_flags,
    paths,
    program,
    server_flags,
    standard_streams,
    startup,
)

PROGRAM = "decompress"

flags.adopt_module_key_flags(coding_flags)
flags.adopt_module_key_flags(server_flags)
_FORMAT = flags.DEFINE_string(
    "format", "png", "Extension of output files that --output does not name."
)
_REGION = flags.DEFINE_string(
    "region",
    None,
    "X,Y,WIDTH,HEIGHT of a part of the image, in pixels from its upper left corner. "
    "Only tiles that it needs are decoded.",
)
_SCALE = flags.DEFINE_enum(
    "scale",
    None,
    ["1/2", "1/4", "1/8", "1/16"],
    "Write a preview of this scale. It needs only the first part of a file: the file "
    "may be cut after that part.",
)
flags.mark_flags_as_mutual_exclusive([_REGION.name, _SCALE.name])
flags.register_validator(
    _REGION.name,
    lambda text: text is None or re.fullmatch(r"\d+,\d+,\d+,\d+", text, re.ASCII),
    "expected four numbers X,Y,WIDTH,HEIGHT",
)


def region() -> Region | None:
    """The part of the image that the flag names; None: all."""
    if _REGION.value is None:
        return None
    left, top, width, height = map(int, _REGION.value.split(","))
    return Region(top, left, height, width)


def make_load(model: str | None, threads: int | None, at_once: int):
    """Returns a function from the id in a file to a codec, loaded once for all files.

    Only a model named by the user may be outside of the models' folders: a file must
    not choose which folder is loaded.
    """
    workers = startup.workers(threads)
    find = models.load_by_id if model is None else models.load
    find = functools.partial(find, workers=workers)
    load = functools.cache(server_flags.loader(find, threads, at_once))
    loading = threading.Lock()

    def load_once(codec_id: str):
        with loading:
            return load(model or codec_id)

    return load_once


def decompress(inputs: Sequence[str]) -> int:
    suffix = "." + _FORMAT.value.lstrip(".")
    images.output_format(Path("image" + suffix))
    sources = paths.expand_inputs(inputs, {compression.SUFFIX})
    jobs = paths.output_paths(
        sources,
        coding_flags.OUTPUT.value,
        suffix,
        into_folder=paths.name_a_folder(inputs),
    )
    jobs = standard_streams.in_jobs(jobs, coding_flags.OUTPUT.value)
    threads = coding_flags.THREADS.value
    at_once = file_jobs.photos_at_once(len(jobs), threads)
    load = make_load(coding_flags.MODEL.value, threads, at_once)

    def work(source: Path, target: Path) -> Report:
        with standard_streams.as_files(source, target, suffix) as (read, written):
            return compression.decompress_file(
                load,
                read,
                written,
                region=region(),
                scale=int(_SCALE.value.split("/")[1]) if _SCALE.value else 1,
                max_pixels=input_flags.MAX_PIXELS.value,
                overwrite=coding_flags.OVERWRITE.value,
            )

    return file_jobs.each_file(PROGRAM, jobs, work, at_once)


def main(argv: Sequence[str]) -> int:
    if len(argv) < 2:
        program.end_with_usage_error(PROGRAM, "expected at least one input")
    return program.guard(PROGRAM, lambda: decompress(argv[1:]))


def run() -> None:
    program.run(PROGRAM, main, in_child=True)


if __name__ == "__main__":
    run()
