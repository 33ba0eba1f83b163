"""Measures what tiles cost in bytes, against an image of one tile.

python benchmarks/tiles.py [--model=fdram] [--qualities=10,50,90] PHOTO..
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # No start-up noise.

from absl import app, flags

from tf_imgcomp.image_codecs import models
from tf_imgcomp.image_files.images import read_image

_MODEL = flags.DEFINE_string("model", models.DEFAULT, "Id or folder of a codec.")
_QUALITIES = flags.DEFINE_list("qualities", ["10", "50", "90"], "Qualities.")


def main(argv: list[str]) -> None:
    codec = models.load(_MODEL.value)
    side = codec.tile
    photos = [read_image(path).pixels for path in argv[1:]]
    print("| quality | one tile, bytes | tiles | largest cost of a photo |")
    print("|---|---|---|---|")
    for quality in map(float, _QUALITIES.value):
        sizes = []
        for pixels in photos:
            both = []
            for codec.tile in (0, side):
                both.append(len(codec.encode(pixels, quality)))
            sizes.append(both)
        one, tiles = map(sum, zip(*sizes))
        worst = max(after / before - 1 for before, after in sizes)
        row = f"{quality:g} | {one} | {tiles / one - 1:+.2%} | {worst:+.2%}"
        print(f"| {row} |", flush=True)


if __name__ == "__main__":
    app.run(main)
