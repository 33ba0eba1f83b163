"""A codec of `.tfci` files, behind the interface of the classical ones."""

from __future__ import annotations

import numpy as np

from tf_imgcomp.data.images import Photo
from tf_imgcomp.files import bitstream, encoding
from tf_imgcomp.image_codecs.interface import ImageCodec


class FileCodec:
    """Pixels to a whole file and back, as evaluation and pairs want it.

    Args:
        codec: learned, or filtered. Its settings are qualities.

    Attributes:
        name, title: its id.
        version: tells its weights.
    """

    def __init__(self, codec: ImageCodec):
        self._codec = codec
        self.name = self.title = codec.id
        self.version = f"weights {codec.fingerprint:04x}"

    def available(self) -> None:
        """Nothing is missing."""

    def encode(self, pixels: np.ndarray, setting: float) -> bytes:
        """Returns the `.tfci` file of uint8 RGB pixels `(h, w, 3)` at a quality."""
        goal = encoding.Goal(quality=setting)
        return encoding.encode(self._codec, Photo(pixels), goal)[0]

    def decode(self, data: bytes) -> np.ndarray:
        """Returns the uint8 RGB pixels `(h, w, 3)` of a file."""
        return encoding.decode(self._codec, bitstream.unpack(data)).pixels
