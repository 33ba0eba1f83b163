#!/usr/bin/env -S python3 -I
"""Compresses images to .tfci files.

    bin/compress photo.jpg                         # Writes photo.tfci beside it.
    bin/compress --quality=70 --output=small/ holiday/ 'scans/*.tif'
    bin/compress --max_bytes=50000 --output=avatar.tfci portrait.png
    bin/compress --total_bpp=0.15 --output=album/ holiday/
    bin/compress --effort=9 photo.jpg              # Slower, smaller at the same PSNR.
    bin/compress --importance=face.png portrait.png   # Fewer bits where it is dark.
    bin/compress --server=kserve://localhost:8500 photo.jpg   # See bin/serve.
    curl http://... | bin/compress - > photo.tfci  # From standard input to output.

An input is a file, a folder, a glob, or - for standard input. An image that does not
look like a photo, such as a screenshot, becomes AVIF 4:4:4 or lossless WebP inside of
the .tfci file, if that costs less. Prints a line for each file: its bytes, bits per
pixel and seconds. Exit code 1 if a file failed, 2 for a usage error.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # No start-up noise.

import functools
from collections.abc import Sequence
from pathlib import Path

from absl import flags

from tf_imgcomp.errors import ImgcompError
from tf_imgcomp.files import choice, compression
from tf_imgcomp.files.budget import share_out_bits
from tf_imgcomp.files.compression import Report
from tf_imgcomp.files.goals import Goal
from tf_imgcomp.image_codecs import models
from tf_imgcomp.image_codecs.catalogue import catalogue
from tf_imgcomp.image_codecs.effort import FAST, ITERATIONS
from tf_imgcomp.image_codecs.interface import ImageCodec
from tf_imgcomp.image_files import images
from tf_imgcomp.postfilter.ensembles import ENSEMBLES
from tf_imgcomp_bin.command_line import (
    coding_flags,
    file_jobs,
    goal_flags,
    input_flags,
    messages,
    paths,
    program,
    server_flags,
    standard_streams,
    startup,
)
from tf_imgcomp_bin.command_line.model_table import model_table
from tf_imgcomp_bin.command_line.supervision import course

PROGRAM = "compress"

flags.adopt_module_key_flags(coding_flags)
flags.adopt_module_key_flags(goal_flags)
flags.adopt_module_key_flags(server_flags)
_TOTAL_BPP = flags.DEFINE_float(
    "total_bpp",
    None,
    "Best mean PSNR with this many bits per pixel over all images together. Each image "
    "gets its own quality and is coded at most 15 times.",
    lower_bound=0.001,
    upper_bound=1e6,
)
_EFFORT = flags.DEFINE_integer(
    "effort",
    FAST,
    f"1 to 9. Efforts 1 to {FAST} give the same file. From {FAST + 1} on a learned "
    "codec refines the latents of each image, in "
    + ", ".join(str(count) for count in ITERATIONS.values() if count)
    + " iterations of 3 to 6 s per megapixel: smaller files at equal quality, "
    "which decode as fast.",
    lower_bound=1,
    upper_bound=9,
)
_IMPORTANCE = flags.DEFINE_string(
    "importance",
    None,
    "Image of the photo's size that says where to spend bits. White: as without the "
    "image. Black: as at quality 1.",
)
_ENSEMBLE = flags.DEFINE_enum(
    "ensemble",
    None,
    [name for name in ENSEMBLES if name != "none"],
    "For a model with a filter: also try the mean over 4 rotations of the image, or "
    "over these and their mirror images. The filter takes 4 or 8 times as long, in "
    "decoding too.",
)
_STRIP = flags.DEFINE_bool("strip", False, "Drop ICC profile, EXIF and other metadata.")
_LIST_MODELS = flags.DEFINE_bool(
    "list_models", False, "Print a table of all models and exit."
)


@flags.multi_flags_validator(
    [coding_flags.MODEL.name, _TOTAL_BPP.name],
    f"--total_bpp shares out the bits of one codec: not with --model={choice.AUTO}",
)
def _is_one_codec(values: dict) -> bool:
    return values["model"] != choice.AUTO or values["total_bpp"] is None


flags.mark_flags_as_mutual_exclusive([*goal_flags.NAMES, _TOTAL_BPP.name])
for _goal in (
    goal_flags.TARGET_PSNR,
    _TOTAL_BPP,
):  # The mixture has no PSNR to search for.
    flags.mark_flags_as_mutual_exclusive([_IMPORTANCE.name, _goal.name])
flags.register_validator(_TOTAL_BPP.name, lambda value: value == value, "not a number")


def compress(inputs: Sequence[str]) -> int:
    photos = paths.expand_inputs(inputs, images.input_suffixes())
    jobs = paths.output_paths(
        photos,
        coding_flags.OUTPUT.value,
        compression.SUFFIX,
        into_folder=paths.name_a_folder(inputs),
    )
    jobs = standard_streams.in_jobs(jobs, coding_flags.OUTPUT.value)
    if _TOTAL_BPP.value is not None and standard_streams.STANDARD in jobs:
        raise ImgcompError("--total_bpp: expected files, received standard input")
    threads = coding_flags.THREADS.value
    progress = functools.partial(messages.progress, unit="iteration")

    def load_here(model: str) -> ImageCodec:
        return models.load(model, startup.workers(threads))

    at_once = file_jobs.photos_at_once(len(jobs), threads)
    load = server_flags.loader(load_here, threads, at_once)
    default = choice.AUTO if _TOTAL_BPP.value is None else models.DEFAULT
    codec, others = choice.load(
        coding_flags.MODEL.value or default,
        lambda model: load(model).with_effort(_EFFORT.value, progress),
    )
    if _ENSEMBLE.value:
        codec = codec.with_ensemble(_ENSEMBLE.value)
    qualities = {}
    if _TOTAL_BPP.value is not None:
        search = functools.partial(
            share_out_bits,
            codec,
            list(jobs),
            _TOTAL_BPP.value,
            strip=_STRIP.value,
            max_pixels=input_flags.MAX_PIXELS.value,
            progress=messages.progress,
        )
        qualities = course.once("qualities", search)

    def goal(source: Path) -> Goal:
        if source in qualities:
            return Goal(quality=qualities[source])
        return goal_flags.goal()

    def work(source: Path, target: Path) -> Report:
        files = standard_streams.as_files(source, target, compression.SUFFIX)
        with files as (read, written):
            return compression.compress_file(
                codec,
                read,
                written,
                goal(source),
                others=others,
                importance=_IMPORTANCE.value and Path(_IMPORTANCE.value),
                strip=_STRIP.value,
                max_pixels=input_flags.MAX_PIXELS.value,
                overwrite=coding_flags.OVERWRITE.value,
            )

    return file_jobs.each_file(PROGRAM, jobs, work, at_once)


def list_models() -> int:
    print(model_table(catalogue(), models.DEFAULT))
    return 0


def main(argv: Sequence[str]) -> int:
    if _LIST_MODELS.value:
        return program.guard(PROGRAM, list_models)
    if len(argv) < 2:
        program.end_with_usage_error(PROGRAM, "expected at least one input")
    return program.guard(PROGRAM, lambda: compress(argv[1:]))


def run() -> None:
    program.run(PROGRAM, main, in_child=True)


if __name__ == "__main__":
    run()
