"""A codec and a filter that improves what it decodes, as one codec.

    pixels ──► codec ──► strings ──► codec ──► filter, if that helps ──► pixels

The encoder decodes and filters as the decoder will. A string of one byte before the
others says whether to filter: 1, or 0 where the filter would make the image worse.
"""

from pathlib import Path

import numpy as np

from tf_imgcomp.errors import BitstreamError
from tf_imgcomp.export import model_folder
from tf_imgcomp.export.image_codec import Coded, ImageCodec
from tf_imgcomp.postfilter.choice import choose

_FLAGS = (b"\0", b"\1")


class SavedFilter:
    """An exported post-filter; TensorFlow is imported when one is made.

    Args:
        folder: a folder that `export.postfilter_model.export` wrote.

    Raises:
        ModelError: If the folder does not hold a sound filter.
    """

    def __init__(self, folder: Path):
        self.card = model_folder.read_card(folder)
        self.id: str = self.card["id"]
        self.fingerprint: int = self.card["fingerprint"]
        self.bytes_per_pixel: float = self.card["bytes_per_pixel"]
        self._model = model_folder.load(folder, self.fingerprint)

    def __call__(self, pixels: np.ndarray, setting: float) -> np.ndarray:
        """Filters an image, uint8 `(h, w, 3)`, that was coded at a setting."""
        return self._model.filter(pixels, np.float32(setting))["image"].numpy()


class FilteredCodec:
    """See `image_codec.ImageCodec`.

    Args:
        codec: what is filtered.
        postfilter: trained for it.
    """

    def __init__(self, codec: ImageCodec, postfilter: SavedFilter):
        self._codec, self._filter = codec, postfilter
        self.id, self.card = postfilter.id, postfilter.card
        self.fingerprint = codec.fingerprint ^ postfilter.fingerprint
        self.bytes_per_pixel = max(codec.bytes_per_pixel, postfilter.bytes_per_pixel)

    def compress(self, pixels: np.ndarray, quality: float) -> Coded:
        coded = self._codec.compress(pixels, quality)
        height, width, _ = pixels.shape
        decoded, checksum = self._codec.decompress(
            coded.strings, height, width, coded.quality
        )
        filters = [lambda decoded: self._filtered(decoded, coded.quality)]
        flag = _FLAGS[choose(pixels, decoded, filters)]
        return Coded((flag, *coded.strings), checksum, coded.quality)

    def decompress(
        self, strings: tuple, height: int, width: int, quality: float
    ) -> tuple:
        flag, *others = strings
        if flag not in _FLAGS:
            raise BitstreamError(f"expected a flag of 0 or 1, received {flag!r}")
        decoded, checksum = self._codec.decompress(
            tuple(others), height, width, quality
        )
        if flag == _FLAGS[1]:
            decoded = self._filtered(decoded, quality)
        return decoded, checksum

    def _filtered(self, decoded: np.ndarray, quality: float) -> np.ndarray:
        return self._filter(decoded, self._codec.setting(quality))
