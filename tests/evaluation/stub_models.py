"""Runs a program with a stub in place of the exported models, which stores WebP.

python -I stub_models.py PROGRAM [ARGUMENT...]
"""

import io
import runpy
import sys

import numpy as np
from PIL import Image

from tf_imgcomp.errors import ModelError
from tf_imgcomp.image_codecs import models
from tf_imgcomp.image_codecs.interface import Coded, ImageCodec


class StubCodec(ImageCodec):
    id = "stub"
    fingerprint = 0xABC

    def memory_to_compress(self, height, width):
        return 16 * height * width

    memory_to_decompress = memory_to_compress

    def compress(self, pixels, quality):
        target = io.BytesIO()
        Image.fromarray(pixels).save(target, "WEBP", quality=int(quality))
        return Coded((target.getvalue(),), None, round(quality, 2))

    def decompress(self, coded, height, width, region=None):
        return np.array(Image.open(io.BytesIO(coded.first[0])).convert("RGB"))


def load(name):
    if name != "stub":
        raise ModelError(f"no model {name!r} here, there are: stub")
    return StubCodec()


if __name__ == "__main__":
    models.DEFAULT, models.load = "stub", load
    del sys.argv[0]
    runpy.run_path(sys.argv[0], run_name="__main__")
