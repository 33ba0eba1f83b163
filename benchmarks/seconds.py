"""Seconds of all codecs of README's table that run here, in turns.

    python benchmarks/seconds.py PHOTO      # writes docs/results/seconds.csv

Each has the setting of its best file within half a bit per pixel. Seconds are medians,
from pixels to the bytes of a file and back, with no file read or written.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # No start-up noise.

import csv
import functools
import re
from pathlib import Path

import measure
from absl import app, flags

from tf_imgcomp.classical import CODECS
from tf_imgcomp.classical.size_search import encode_within
from tf_imgcomp.image_codecs import models
from tf_imgcomp.image_files.images import read_image

RESULTS = Path(__file__).parents[1] / "docs" / "results"
MAX_BPP = 0.5

_RUNS = flags.DEFINE_integer("runs", 5, "Runs of each codec.")
_OUTPUT = flags.DEFINE_string("output", f"{RESULTS / 'seconds.csv'}", "A table.")


def main(argv: list[str]) -> None:
    pixels = read_image(Path(argv[1])).pixels
    num_pixels = pixels.shape[0] * pixels.shape[1]
    max_bytes = int(MAX_BPP / 8 * num_pixels)
    settings, bpp, ways = {}, {}, {}
    for name, codec, quick in codecs():
        settings[name], _ = encode_within(quick, pixels, max_bytes)
        data = codec.encode(pixels, settings[name])
        bpp[name] = 8 * len(data) / num_pixels
        ways[name, 0] = functools.partial(codec.encode, pixels, settings[name])
        ways[name, 1] = functools.partial(codec.decode, data)
        print(f"{name}: setting {settings[name]}, {bpp[name]:.3f} bpp", flush=True)
    seconds = measure.median_seconds(ways, _RUNS.value)
    with open(_OUTPUT.value, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["codec", "setting", "bpp", "encode_seconds", "decode_seconds"])
        for name, setting in settings.items():
            times = [f"{seconds[name, way]:.4g}" for way in range(2)]
            writer.writerow([name, f"{setting:g}", f"{bpp[name]:.4f}", *times])


def codecs():
    """Name of the curve, codec, and the same without slow refinement."""
    with open(RESULTS / "curves.csv", newline="") as file:
        curves = list(csv.DictReader(file))
    for curve in curves:
        if "readme" not in curve["shown"].split() or curve["kind"] == "published":
            continue
        name = curve["codec"]
        if name in CODECS:
            yield name, CODECS[name], CODECS[name]
            continue
        model, effort = re.fullmatch(r"(.+?)(?:-effort(\d))?", name).groups()
        codec = models.load(model)
        yield name, codec.with_effort(int(effort)) if effort else codec, codec


if __name__ == "__main__":
    app.run(main)
