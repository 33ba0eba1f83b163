"""A stub codec for tests of programs that do not need a trained one."""

import zlib

import numpy as np
import pytest
import tensorflow as tf

from tf_imgcomp.errors import BitstreamError, ModelError
from tf_imgcomp.image_codecs import models
from tf_imgcomp.image_codecs.interface import Coded, ImageCodec


class StubCodec(ImageCodec):
    """Divides by a step that shrinks with quality, and deflates."""

    id = "stub"
    fingerprint = 0xABCD
    bytes_per_pixel = 20.0

    def compress(self, pixels, quality):
        symbols = (pixels // self._step(quality)).tobytes()
        halves = symbols[: len(symbols) // 2], symbols[len(symbols) // 2 :]
        return Coded(
            strings=tuple(map(zlib.compress, halves)),
            checksum=zlib.crc32(symbols) & 0xFFFF,
            quality=round(quality, 2),
        )

    def decompress(self, strings, height, width, quality):
        try:
            symbols = b"".join(map(zlib.decompress, strings))
        except zlib.error as error:
            raise BitstreamError("the strings do not decode") from error
        pixels = np.frombuffer(symbols, np.uint8).reshape(height, width, 3)
        step = self._step(quality)
        return pixels * step + step // 2, zlib.crc32(symbols) & 0xFFFF

    @staticmethod
    def _step(quality):
        return np.uint8(103 - quality)


@pytest.fixture
def stub(monkeypatch):
    """Makes the stub the only model."""
    codec = StubCodec()
    # The programs change options of the whole process.
    monkeypatch.setattr(tf.config.optimizer, "set_experimental_options", lambda _: None)

    def load(model):
        if model != codec.id:
            raise ModelError(f"needs model {model!r}; there are: {codec.id}")
        return codec

    monkeypatch.setattr(models, "DEFAULT", codec.id)
    monkeypatch.setattr(models, "available", lambda: [codec.id])
    monkeypatch.setattr(models, "load", load)
    monkeypatch.setattr(models, "load_by_id", load)
    return codec
