"""`.tfci` files of one codec as a file format, to compare with JPEG and others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tf_imgcomp.data.images import Photo
from tf_imgcomp.files import bitstream
from tf_imgcomp.files.encoding import PhotoEncoder, decode
from tf_imgcomp.image_codecs.interface import ImageCodec


class TfciFormat:
    """See `classical.FileFormat`; its settings are qualities.

    Args:
        codec: codes the pixels.

    Attributes:
        name, title: the codec's id.
        version: tells the codec's weights.
    """

    settings: tuple[float, ...] = (1, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100)
    all_settings: Sequence[float] = range(1, 101)

    def __init__(self, codec: ImageCodec):
        self._codec = codec
        self.name = self.title = codec.id
        self.version = f"weights {codec.fingerprint:04x}"

    def available(self) -> None:
        """Nothing is missing."""

    def encode(self, pixels: np.ndarray, setting: float) -> bytes:
        return PhotoEncoder(Photo(pixels))(self._codec, setting).data

    def decode(self, data: bytes) -> np.ndarray:
        return decode(self._codec, bitstream.unpack(data)).pixels
