"""A codec and a filter after it, as one codec.

    pixels ──► codec ──► strings ──► codec ──► filter, if that helps ──► pixels

The encoder decodes and filters as the decoder will, and keeps the best result. The
first string is one byte: 0 no filter, 1 the filter, 2 its mean over rotations, 3 its
mean over rotations and mirror images.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from tf_imgcomp.errors import BitstreamError
from tf_imgcomp.image_codecs.interface import Coded, ImageCodec
from tf_imgcomp.model_folder import ExportedModel
from tf_imgcomp.postfilter.choice import choose
from tf_imgcomp.postfilter.ensembles import ENSEMBLES, signature


class SavedFilter(ExportedModel):
    """An exported post-filter; TensorFlow is imported when one is made.

    Args:
        folder: a folder that `export.postfilter.export` wrote.

    Raises:
        ModelError: If the folder does not hold an intact filter.
    """

    def __init__(self, folder: Path):
        super().__init__(folder)
        self._model = self.load()

    def __call__(
        self, pixels: np.ndarray, setting: float, ensemble: str = "none"
    ) -> np.ndarray:
        """Filters an image.

        Args:
            pixels: uint8 `(h, w, 3)`, decoded.
            setting: of the codec, such as a QP.
            ensemble: key of `ENSEMBLES`.
        """
        filter_ = getattr(self._model, signature(ensemble))
        return filter_(pixels, np.float32(setting))["image"].numpy()


class FilteredCodec(ImageCodec):
    """See `ImageCodec`.

    Args:
        codec: the codec before the filter.
        postfilter: trained for this codec.
        tried: keys of `ENSEMBLES`: the ensembles that the encoder tries. If none, it
            does not filter.
    """

    def __init__(
        self,
        codec: ImageCodec,
        postfilter: SavedFilter,
        tried: Sequence[str] = ("none",),
    ):
        self._codec, self._filter = codec, postfilter
        self.id, self.card = postfilter.id, postfilter.card
        self.fingerprint = codec.fingerprint ^ postfilter.fingerprint
        self.bytes_per_pixel = max(codec.bytes_per_pixel, postfilter.bytes_per_pixel)
        self._tried = tuple(tried)

    def setting(self, quality: float) -> float:
        """See `ImageCodec`: that of the codec."""
        return self._codec.setting(quality)

    def for_trials(self) -> ImageCodec:
        """See `ImageCodec`: without filtering, the flag is one byte, too."""
        return FilteredCodec(self._codec.for_trials(), self._filter, tried=())

    def without_refinement(self) -> ImageCodec:
        """See `ImageCodec`."""
        codec = self._codec.without_refinement()
        if codec is self._codec:
            return self
        return FilteredCodec(codec, self._filter, self._tried)

    def with_effort(
        self, effort: int, progress: Callable[[Iterable], Iterable] = iter
    ) -> ImageCodec:
        """See `ImageCodec`: the codec's; the filter does not change the refinement."""
        codec = self._codec.with_effort(effort, progress)
        return FilteredCodec(codec, self._filter, self._tried)

    def with_ensemble(self, ensemble: str) -> ImageCodec:
        """See `ImageCodec`."""
        tried = dict.fromkeys(("none", ensemble))
        return FilteredCodec(self._codec, self._filter, tuple(tried))

    def compress(self, pixels: np.ndarray, quality: float) -> Coded:
        coded = self._codec.compress(pixels, quality)
        if not self._tried:
            return Coded((b"\0", *coded.strings), coded.checksum, coded.quality)
        height, width, _ = pixels.shape
        decoded, checksum = self._codec.decompress(
            coded.strings, height, width, coded.quality
        )
        filters = [self._filtering(name, coded.quality) for name in self._tried]
        chosen = choose(pixels, decoded, filters)
        flag = 1 + list(ENSEMBLES).index(self._tried[chosen - 1]) if chosen else 0
        return Coded((bytes([flag]), *coded.strings), checksum, coded.quality)

    def decompress(
        self, strings: tuple, height: int, width: int, quality: float
    ) -> tuple:
        flag, *others = strings
        if len(flag) != 1 or flag[0] > len(ENSEMBLES):
            raise BitstreamError(
                f"expected a flag of 0 to {len(ENSEMBLES)}, received {flag!r}"
            )
        decoded, checksum = self._codec.decompress(
            tuple(others), height, width, quality
        )
        if flag[0]:
            decoded = self._filtering([*ENSEMBLES][flag[0] - 1], quality)(decoded)
        return decoded, checksum

    def importance(self, pixels: np.ndarray, quality: float) -> np.ndarray | None:
        """See `ImageCodec`: that of the codec."""
        return self._codec.importance(pixels, quality)

    def latents(
        self, strings: tuple, height: int, width: int, quality: float
    ) -> np.ndarray | None:
        """See `ImageCodec`: that of the codec."""
        return self._codec.latents(strings[1:], height, width, quality)

    def _filtering(self, ensemble: str, quality: float) -> Callable:
        setting = self._codec.setting(quality)
        return lambda decoded: self._filter(decoded, setting, ensemble)
