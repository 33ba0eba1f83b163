"""What all codecs behind `.tfci` files offer, trained or not."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True)
class Coded:
    """An image as strings.

    Attributes:
        strings: what a file keeps.
        checksum: of what they decode to, 0 to 65535: of latents, or of pixels.
        quality: the quality used, a multiple of 0.01.
    """

    strings: tuple
    checksum: int
    quality: float


class ImageCodec(Protocol):
    """Codes images of any size at any quality.

    Attributes:
        id: its name in files.
        fingerprint: 16 bits of its weights, in files too; 0 if it has none.
        bytes_per_pixel: peak memory of coding, for refusing what does not fit.
    """

    id: str
    fingerprint: int
    bytes_per_pixel: float

    def setting(self, quality: float) -> float:
        """What the codec is run at for a quality in [1, 100]: itself, or a QP.

        A filter after the codec is told it.
        """

    def compress(self, pixels: np.ndarray, quality: float) -> Coded:
        """Codes an image.

        Args:
            pixels: uint8 `(h, w, 3)`, any size from 1x1.
            quality: float in [1, 100].
        """

    def decompress(
        self, strings: tuple, height: int, width: int, quality: float
    ) -> tuple:
        """Decodes an image.

        Args:
            strings: as `compress` gave them.
            height, width: of the image.
            quality: the one in `Coded`.

        Returns:
            Pixels, uint8 `(h, w, 3)`, and the checksum of what was decoded.

        Raises:
            BitstreamError: If the strings are not what an encoder writes.
        """
