#!/usr/bin/env -S python3 -I
"""Codes and decodes photos to make training data for a post-filter.

    bin/make_pairs --codec=bpg --qp=34,37,40,43 PHOTOS --output=pairs/bpg
    bin/make_pairs --codec=vvc_fast --qp=34,37,40,43 --per_photo=1 PHOTOS --output=...
    bin/make_pairs --codec=fdram --qp=1,25,50,75 PHOTOS --output=pairs/fdram

PHOTOS is a folder. Each photo is coded at all QPs, or at --per_photo of them. Codecs
without QPs take their own setting, learned codecs the quality. Each pair is written as
a lossless image, the decoded photo above the original, with a line of figures in
pairs.jsonl. Of a photo over 1024 pixels wide or high, the middle is coded. If killed,
it resumes. The output folder is --data of bin/train and PHOTOS
of bin/pack_images.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # No start-up noise.

from collections.abc import Sequence
from pathlib import Path

from absl import app, flags
from tqdm import tqdm

from tf_imgcomp.data.making_pairs import make_pairs, plan
from tf_imgcomp.errors import ImgcompError
from tf_imgcomp.image_codecs import classical, models
from tf_imgcomp_bin.command_line import input_flags, messages, program

PROGRAM = "make_pairs"

# A filter can follow them.
_LOSSY = [name for name in classical.CLASSICAL_CODECS if name != "webp_lossless"]

flags.adopt_module_key_flags(input_flags)
_CODEC = flags.DEFINE_string(
    "codec",
    None,
    f"One of {', '.join(_LOSSY)}, or id or folder of a learned codec.",
    required=True,
)
_QP = flags.DEFINE_list(
    "qp", None, "QPs or other settings, integers from 0 to 255.", required=True
)
_PER_PHOTO = flags.DEFINE_integer(
    "per_photo", None, "Number of QPs for each photo (default all).", lower_bound=1
)
_SCALE_MIN = flags.DEFINE_float(
    "scale_min",
    1.0,
    "Reduces the photo of each pair to a scale of its own, at least this, but no side "
    "below 256 pixels. Reduction restores the chroma that lossy photos have lost.",
    lower_bound=0.01,
    upper_bound=1.0,
)
_OUTPUT = flags.DEFINE_string("output", None, "Folder for the pairs.", required=True)
_THREADS = flags.DEFINE_integer(
    "threads", os.cpu_count(), "Photos coded at the same time.", lower_bound=1
)


@flags.validator("qp", "Expected different integers of 0 to 255.")
def _are_settings(values: list) -> bool:
    try:
        settings = {int(value) for value in values}
    except ValueError:
        return False
    return len(settings) == len(values) and settings <= set(range(256))


def main(argv: Sequence[str]) -> int:
    if len(argv) != 2:
        raise app.UsageError(f"Expected one folder, received {argv[1:]}.")
    return program.guard(PROGRAM, lambda: make(Path(argv[1])))


def make(folder: Path) -> int:
    codec, output = _load(_CODEC.value), Path(_OUTPUT.value)
    missing = codec.available()
    if missing:
        raise ImgcompError(missing)
    settings = [int(value) for value in _QP.value]
    per_photo = min(_PER_PHOTO.value or len(settings), len(settings))
    jobs = plan(folder, output, settings, per_photo, _SCALE_MIN.value)
    made = failed = 0
    limit = input_flags.MAX_PIXELS.value
    results = make_pairs(jobs, output, codec, _THREADS.value, limit)
    for job, reason in tqdm(results, total=len(jobs), unit="pair", disable=None):
        made, failed = made + (not reason), failed + bool(reason)
        if reason:
            messages.complain(PROGRAM, f"{job.photo}: {reason}")
    there = len(jobs) - made - failed
    print(f"{output}: {made} pairs made, {there} were there, {failed} failed")
    return 1 if failed else 0


def _load(name: str):
    """A codec whose settings are those that a filter after it is told."""
    return classical.CLASSICAL_CODECS[name] if name in _LOSSY else models.load(name)


def run() -> None:
    program.run(PROGRAM, main)


if __name__ == "__main__":
    run()
