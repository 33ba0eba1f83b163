"""Spends bits where the user wants them, with any codec and file format."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from tf_imgcomp.errors import ImageError
from tf_imgcomp.image_codecs.interface import ImageCodec
from tf_imgcomp.image_files import images
from tf_imgcomp.image_files.images import Photo

_COARSE_QUALITY = 1.0
_BYTES_PER_PIXEL = 11  # Of the map while it is read, or of the coarse picture.


def memory_to_emphasize(height: int, width: int) -> float:
    """Memory in bytes that this takes beside the codec and the photo."""
    return _BYTES_PER_PIXEL * height * width


def emphasize(codec: ImageCodec, photo: Photo, importance: np.ndarray) -> Photo:
    """Returns a photo with full detail where it is important and little elsewhere.

    Where importance is 0, pixels are those that the codec decodes at quality 1; between
    0 and 1 they are a mixture. The codec then spends few bits there. Zeroing small
    latents instead costs more bits for the same error: the entropy model does not
    expect such latents, but it does expect those of a coarse image.

    Args:
        codec: A loaded codec.
        photo: The photo.
        importance: float32 `(h, w)`, 0 to 1.
    """
    codec = codec.without_refinement()
    height, width, _ = photo.pixels.shape
    coded = codec.compress(photo.pixels, _COARSE_QUALITY)
    coarse = codec.decompress(coded, height, width)
    pixels = np.empty_like(photo.pixels)  # Row by row, which takes little memory.
    for row, (fine, weights) in enumerate(zip(photo.pixels, importance)):
        mixture = coarse[row] + weights[:, None] * (
            fine.astype(np.float32) - coarse[row]
        )
        pixels[row] = np.floor(mixture + 0.5)
    pixels = images.grey_pixels(pixels) if photo.grey else pixels
    return dataclasses.replace(photo, pixels=pixels)


def read_importance(path: Path, height: int, width: int, max_pixels: int) -> np.ndarray:
    """Returns the brightness of an image, float32 `(h, w)`, 0 to 1.

    Args:
        path: The image.
        height: int, of the photo.
        width: int, of the photo.
        max_pixels: Largest number of pixels of an image; 0: no limit.

    Raises:
        ImageError: If it is not an image of this size.
        OSError: If the file cannot be read.
    """
    try:
        pixels = images.read_image(path, max_pixels=max_pixels).pixels
    except ImageError as error:
        raise ImageError(f"importance {path}: {error}") from error
    if pixels.shape[:2] != (height, width):
        raise ImageError(
            f"importance {path}: expected {width}x{height} pixels like the photo's, "
            f"received {pixels.shape[1]}x{pixels.shape[0]}"
        )
    return images.grey_pixels(pixels)[..., 0].astype(np.float32) / 255
