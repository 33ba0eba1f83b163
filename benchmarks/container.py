"""Measures what the container, two parts and several streams cost in bytes.

    python benchmarks/container.py [--model=fdram] [--qualities=1,50,100] IMAGE...

Each image is one tile. A file is compared with the smallest that holds the same
integers: one stream after a header of 37 bytes, as in the format before it had tiles,
parts and streams. "container" is all of a file but its streams. "dealt" is what the
streams take beyond one stream for each part. The end of a part takes two bytes, which
the smallest file saves once. The aim is an excess of 12 bytes and 0.3 %.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # No start-up noise.

import numpy as np
import tensorflow as tf
from absl import app, flags

from tf_imgcomp import bitstream
from tf_imgcomp.entropy_coding import range_coder
from tf_imgcomp.export.codec import CodecModule
from tf_imgcomp.image_codecs import models, tile_parts
from tf_imgcomp.image_files.images import read_image
from tf_imgcomp.runs.keras_models import load_trained

_MODEL = flags.DEFINE_string("model", models.DEFAULT, "Id or folder of a codec.")
_QUALITIES = flags.DEFINE_list(
    "qualities", ["1", "10", "40", "70", "100"], "Qualities."
)

LEAST_HEADER, END_OF_PART = 37, 2  # Bytes.


class OneStream:
    """A `RangeCoder` that writes the symbols of all streams to one."""

    reader = staticmethod(range_coder.reader)

    @staticmethod
    def write(table: tf.Tensor, rows: tf.Tensor, symbols: tf.Tensor) -> tf.Tensor:
        together = (
            tf.reshape(tf.transpose(dealt), [1, -1]) for dealt in (rows, symbols)
        )
        return range_coder.write(table, *together)


def main(argv: list[str]) -> None:
    codec = models.load(_MODEL.value)
    codec.tile = 0
    trained = load_trained(models.find(_MODEL.value))
    of_one_stream = CodecModule(trained, coder=OneStream())
    print("| quality | file, bytes | streams | container | dealt | excess | aim |")
    print("|---|---|---|---|---|---|---|")
    for quality in map(float, _QUALITIES.value):
        for path in argv[1:]:
            pixels = read_image(path).pixels
            data = codec.encode(pixels, quality)
            file = bitstream.unpack(data)
            parts = [tile_parts.unpack(tile) for tile in (*file.first, *file.rest)]
            written = [len(stream) for _, strings in parts for stream in strings]
            coded = of_one_stream.compress(
                image=pixels, crop=np.zeros(4, np.int32), quality=quality
            )
            assert list(coded["checksums"].numpy()) == [sum_ for sum_, _ in parts]
            one = sum(len(coded[part].numpy()[0]) for part in ("first", "rest"))
            least = LEAST_HEADER + one - END_OF_PART
            print(
                f"| {quality:g} | {len(data)} | {len(written)} | "
                f"{len(data) - sum(written)} | {sum(written) - one} | "
                f"{len(data) - least} | {12 + 0.003 * least:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    app.run(main)
