"""Pairs of a photo and its decoded version, in one image: training data of filters.

A pair is an ordinary image, so it is read, cached and packed like a photo. It shows
three pictures of one size, one above another:

    decoded      the decoded photo
    original     the photo that was coded
    setting      a constant: the QP or quality of the encoder
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tf_imgcomp.data.photos import PhotoFolder
from tf_imgcomp.errors import ImageError

PICTURES = 3  # In the image of a pair.


class Pair(NamedTuple):
    """A photo coded and decoded.

    Attributes:
        decoded: uint8 `(h, w, 3)`.
        original: uint8 `(h, w, 3)`.
        setting: int, 0 to 255, the QP or quality of the encoder.
    """

    decoded: np.ndarray
    original: np.ndarray
    setting: int


def stack(pair: Pair) -> np.ndarray:
    """The image of a pair, uint8 `(3 * h, w, 3)`."""
    setting = np.full_like(pair.original, pair.setting)
    return np.concatenate([pair.decoded, pair.original, setting])


def unstack(image: np.ndarray) -> Pair:
    """The pair in an image.

    Raises:
        ImageError: If it is not the image of a pair.
    """
    if image.shape[0] % PICTURES:
        raise ImageError(
            f"not a pair: {image.shape[0]} rows are not a multiple of {PICTURES}"
        )
    decoded, original, setting = np.split(image, PICTURES)
    if (setting != setting[0, 0, 0]).any():
        raise ImageError("not a pair: the values of its third picture differ")
    return Pair(decoded, original, int(setting[0, 0, 0]))


def check_pairs(images: PhotoFolder) -> None:
    """Checks that every image of a folder holds a pair.

    Raises:
        ImageError: If an image does not; the message names it.
    """
    for number, name in enumerate(images.names):
        try:
            unstack(images[number])
        except ImageError as error:
            raise ImageError(f"{name}: {error}") from None
