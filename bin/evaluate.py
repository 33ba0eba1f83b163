#!/usr/bin/env -S python3 -I
"""Measures a codec and classical codecs on images, with real files.

    bin/evaluate [--model=ID] [--output=DIR] IMAGE...

An IMAGE is a file, a folder or a glob. Prints the comparison and writes to the output
folder:

    points.csv       every image at every setting: bytes, bpp, quality, seconds
    means.csv        means over the images at every setting
    results.json     both, and the comparison
    comparison.md    BD-rate against each baseline, and the smallest difference of PSNR
    rd.png           rate-distortion curves

Quality is PSNR, MS-SSIM and, if the shorter side has at least 225 pixels, SSIMULACRA2.
Measurements are cached in .cache/ in that folder. The 24 Kodak images take about half
an hour on two cores the first time.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # No start-up noise.

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from absl import flags

from tf_imgcomp.classical import CODECS
from tf_imgcomp.errors import ClassicalCodecError, ImgcompError
from tf_imgcomp.image_codecs.effort import FAST
from tf_imgcomp_bin.command_line import input_flags, messages, program

PROGRAM = "evaluate"

flags.adopt_module_key_flags(input_flags)
_MODEL = flags.DEFINE_string(
    "model",
    None,
    "Id or folder of the codec. Default: that of bin/compress for photos.",
)
_QUALITIES = flags.DEFINE_list(
    "qualities", "1,10,20,30,40,50,60,70,80,90,100", "Qualities, each from 1 to 100."
)
_EFFORT = flags.DEFINE_integer(
    "effort",
    FAST,
    "Effort from 1 to 9, see bin/compress.",
    lower_bound=1,
    upper_bound=9,
)
_OUTPUT = flags.DEFINE_string("output", "evaluation_out", "Folder for the results.")
_BASELINES = flags.DEFINE_list(
    "baselines",
    "jpeg,jpeg2000,webp,avif,avif444",
    f"Classical codecs to compare with; --baselines= for none: {', '.join(CODECS)}.",
)


@flags.validator(_QUALITIES.name, message="Expected numbers from 1 to 100.")
def _are_qualities(values: list[str]) -> bool:
    try:
        return bool(values) and all(1 <= float(value) <= 100 for value in values)
    except ValueError:
        return False


@flags.validator(_BASELINES.name, message=f"Expected some of {', '.join(CODECS)}.")
def _are_codecs(names: list[str]) -> bool:
    return set(names) <= CODECS.keys()


def _load_model(name: str | None):
    """Returns an exported codec."""
    from tf_imgcomp.image_codecs import models

    codec = models.load(name or models.DEFAULT).with_effort(_EFFORT.value)
    # The first calls are slower, so they are made here, unmeasured.
    codec.decode(codec.encode(np.zeros((64, 64, 3), np.uint8), setting=50))
    return codec


def _measure(cache, codec, setting: float, path: Path, pixels: np.ndarray):
    """Returns a point; errors name the codec."""
    try:
        return cache.measure(codec, setting, str(path), pixels)
    except ClassicalCodecError as error:
        message = f"{codec.name} at {setting:g}: {error}"
        raise ClassicalCodecError(message) from None


def evaluate(inputs: Sequence[str]) -> int:
    baselines = [CODECS[name] for name in _BASELINES.value]
    for codec in baselines:
        if missing := codec.available():
            raise ClassicalCodecError(f"{codec.name}: {missing}")

    from tf_imgcomp.evaluation import comparison, curves, report
    from tf_imgcomp.evaluation.points import Cache
    from tf_imgcomp.image_files.images import input_suffixes, read_image
    from tf_imgcomp_bin.command_line.paths import expand_inputs

    model = _load_model(_MODEL.value)
    jobs = [(model, quality) for quality in map(float, _QUALITIES.value)]
    jobs += [(codec, setting) for codec in baselines for setting in codec.settings]
    images = expand_inputs(inputs, input_suffixes())
    output = Path(_OUTPUT.value)
    cache = Cache(output / ".cache")
    points, failed = [], False
    for path in messages.told("evaluate", images):
        try:
            pixels = read_image(path, max_pixels=input_flags.MAX_PIXELS.value).pixels
            points += [_measure(cache, *job, path, pixels) for job in jobs]
        except (ImgcompError, OSError, MemoryError) as error:
            messages.complain(PROGRAM, f"{path}: {messages.reason(error, path)}")
            failed = True
    if not points:
        return 1

    means = curves.mean_points(points)
    names = [codec.name for codec in baselines]
    comparisons = comparison.compare(means, model.name, names)
    titles = {codec.name: codec.title for codec in (model, *baselines)}
    report.write(output, points, means, comparisons, titles)
    print(report.means_table([mean for mean in means if mean.codec == model.name]))
    print(report.comparisons_table(comparisons))
    print(f"More in {output}/: points.csv, means.csv, results.json, rd.png")
    return int(failed)


def main(argv: Sequence[str]) -> int:
    if len(argv) < 2:
        program.end_with_usage_error(PROGRAM, "expected at least one image")
    return program.guard(PROGRAM, lambda: evaluate(argv[1:]))


def run() -> None:
    program.run(PROGRAM, main)


if __name__ == "__main__":
    run()
