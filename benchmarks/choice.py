"""Measures what the choice of a codec costs: `--model=auto` against the default model.

    python benchmarks/choice.py [--quality=Q] IMAGE...

Photos should lose neither bits nor more than 3 % of time: prints for each image whether
it looks like a photo, and for all of them together the seconds and bytes of encoding
with the choice and without it. Seconds are CPU seconds, since other load hardly changes
them: sums over the images of the medians of runs in turns, without reading and writing.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # No start-up noise.

import functools
import time
from collections import Counter

import measure
from absl import app, flags

from tf_imgcomp.files import choice, goals
from tf_imgcomp.files.drawn import looks_drawn
from tf_imgcomp.image_codecs import models
from tf_imgcomp.image_files.images import input_suffixes, read_image
from tf_imgcomp_bin.command_line.paths import expand_inputs

_QUALITY = flags.DEFINE_float("quality", goals.DEFAULT_QUALITY, "From 1 to 100.")
_RUNS = flags.DEFINE_integer("runs", 3, "Runs of each image.")


def main(argv: list[str]) -> None:
    codec, others = choice.load(choice.AUTO, models.load)
    goal = goals.Goal(quality=_QUALITY.value)
    seconds, num_bytes, codecs = Counter(), Counter(), Counter()
    for path in expand_inputs(argv[1:], input_suffixes()):
        photo = read_image(path)
        ways = {
            "without": functools.partial(goals.encode, codec, photo, goal),
            "with": lambda photo=photo: choice.encode_cheapest(
                codec, others, photo, goal
            )[0],
        }
        times = measure.median_seconds(ways, _RUNS.value, time.process_time)
        seconds.update(times)
        num_bytes.update({name: len(way().data) for name, way in ways.items()})
        start = time.process_time()
        is_drawn = looks_drawn(photo.pixels)
        seconds["look"] += time.process_time() - start
        if is_drawn:
            encoded = ways["with"]()
            print(f"{path}: no photo, {encoded.file.codec}", flush=True)
        codecs["no photo" if is_drawn else "photo"] += 1
    print(
        f"{codecs['photo']} photos, {codecs['no photo']} other images; the look took "
        f"{seconds['look']:.2f} CPU seconds\n\n| | without choice | with | change |\n"
        "|---|---|---|---|"
    )
    for name, sums in (("CPU seconds", seconds), ("bytes", num_bytes)):
        change = sums["with"] / sums["without"] - 1
        without, with_ = (f"{sums[way]:.2f}".removesuffix(".00") for way in ways)
        print(f"| {name} | {without} | {with_} | {change:+.2%} |")


if __name__ == "__main__":
    app.run(main)
