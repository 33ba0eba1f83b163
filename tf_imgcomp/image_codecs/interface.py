"""The interface of everything that codes the pixels of `.tfci` files."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from tf_imgcomp.errors import ModelError


@dataclass(frozen=True)
class Coded:
    """An image as strings.

    Attributes:
        strings: tuple of bytes, for the file.
        checksum: int in [0, 65535], of the decoded latents or pixels.
        quality: float in [1, 100], the quality used, a multiple of 0.01.
    """

    strings: tuple
    checksum: int
    quality: float


class ImageCodec(ABC):
    """Codes images of any size at any quality: learned, filtered or classical.

    Attributes:
        id: its name in files.
        fingerprint: 16 bits of its weights, in files too; 0 if it has none.
        bytes_per_pixel: peak memory of coding, to refuse images that do not fit.
    """

    id: str
    fingerprint: int
    bytes_per_pixel: float

    @abstractmethod
    def compress(self, pixels: np.ndarray, quality: float) -> Coded:
        """Codes an image.

        Args:
            pixels: uint8 `(h, w, 3)`, any size from 1x1.
            quality: float in [1, 100].
        """

    @abstractmethod
    def decompress(
        self, strings: tuple, height: int, width: int, quality: float
    ) -> tuple:
        """Decodes an image.

        Args:
            strings: those of `Coded`.
            height, width: of the image, in pixels.
            quality: that of `Coded`.

        Returns:
            Pixels, uint8 `(h, w, 3)`, and the checksum of what was decoded.

        Raises:
            BitstreamError: If the strings are not what an encoder writes.
        """

    def setting(self, quality: float) -> float:
        """Native setting for a quality: the quality itself, or a QP.

        Equal settings give equal files. A filter after the codec is told the setting.
        """
        return quality

    def for_trials(self) -> ImageCodec:
        """A faster codec whose files have the same length, to search for a size."""
        return self

    def with_ensemble(self, ensemble: str) -> ImageCodec:
        """The codec, its encoder trying an ensemble of filter results, too.

        Args:
            ensemble: key of `postfilter.ensembles.ENSEMBLES`.

        Raises:
            ModelError: If the codec has no filter.
        """
        raise ModelError(
            f"model {self.id!r} has no filter, which ensemble {ensemble!r} needs"
        )

    def importance(self, pixels: np.ndarray, quality: float) -> np.ndarray | None:
        """The learned importance map, float32 `(H / 16, W / 16)`, 0 to 1.

        None if the codec has no such map. Arguments are those of `compress`.
        """
        del pixels, quality
        return None

    def latents(
        self, strings: tuple, height: int, width: int, quality: float
    ) -> np.ndarray | None:
        """The decoded latents y_hat, float32 `(1, H / 16, W / 16, c)`, integers.

        None if the codec has no latents. Arguments and errors are those of
        `decompress`.
        """
        del strings, height, width, quality
        return None
