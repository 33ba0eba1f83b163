"""The interface of everything that codes images as complete files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np


class FileCodec(Protocol):
    """Pixels to the bytes of a complete file and back: JPEG, AVIF, or `.tfci`.

    Comparisons of codecs use this interface. An `ImageCodec`, which writes `.tfci`
    files, implements it without inheriting from it, and adds `compress` and
    `decompress`.

    Attributes:
        name: Short name, as used by flags and in result files.
        title: Name for people, with the options that matter.
        version: Changes whenever the same setting may give other bytes or pixels.
            Only an available codec has one.
        settings: Settings that span the usual rates, from low to high quality.
        all_settings: Every setting worth trying, from the smallest file to the largest.
    """

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def settings(self) -> tuple[float, ...]: ...

    @property
    def all_settings(self) -> Sequence[float]: ...

    def available(self) -> str | None:
        """Returns None, or a message for the user that names the missing library."""

    def encode(self, pixels: np.ndarray, setting: float) -> bytes:
        """Returns the file for uint8 RGB pixels `(h, w, 3)` of any size.

        Raises:
            ClassicalCodecError: If the encoder is missing, fails or takes too long.
            ValueError: If the codec has no such setting.
        """

    def decode(self, data: bytes) -> np.ndarray:
        """Returns the uint8 RGB pixels `(h, w, 3)` of a file.

        Raises:
            ClassicalCodecError: If the file is damaged or of another format, or if
                the decoder is missing, fails or takes too long. Of `.tfci` files:
                BitstreamError or ModelError.
            ImageError: If the picture needs more memory than is available.
        """


class ClassicalCodec(FileCodec, Protocol):
    """A codec with a file format of its own, not `.tfci`."""

    def size(self, data: bytes) -> tuple[int, int]:
        """Returns height and width that the header of a file says.

        Raises:
            ClassicalCodecError: If the header is damaged or of another format.
        """
