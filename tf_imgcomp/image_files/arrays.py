"""Photos from NumPy arrays, and Pillow images from photos.

array ────────► photo_of_array ────► Photo ──► to_pillow ──► Pillow image
Pillow image ─► read_pillow_image ───┘
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from tf_imgcomp import size_limits
from tf_imgcomp.errors import ImageError
from tf_imgcomp.image_files import exif as exif_data
from tf_imgcomp.image_files.images import Photo

_CHANNELS = (1, 2, 3, 4)
# What to do with an array of another dtype `x`.
_CURES = {
    "f": "np.uint8(np.clip(x, 0, 1) * 255 + 0.5) if white is 1",
    "b": "np.uint8(x) * 255",
    "u": "np.uint8((x + 128) // 257) if white is 65535, computed in uint32",
}
_OTHER_CURE = "np.uint8(np.clip(x, 0, 255)) if white is 255"


def photo_of_array(
    array: np.ndarray,
    needed_memory: Callable[[int, int], float] = size_limits.size_of_picture,
) -> Photo:
    """Returns the photo in an array.

    Args:
        array: uint8, `(h, w)` or `(h, w, 1)` grey, `(h, w, 2)` grey and alpha,
            `(h, w, 3)` RGB, `(h, w, 4)` RGB and alpha; alpha is not premultiplied.
        needed_memory: As in `images.read_image`.

    Raises:
        ImageError: If dtype or shape are others, or the array is too large.
    """
    if array.dtype != np.uint8:
        cure = _CURES.get(array.dtype.kind, _OTHER_CURE)
        raise ImageError(
            f"Expected an array of dtype uint8, received {array.dtype}: pass {cure}."
        )
    samples = array[..., None] if array.ndim == 2 else array
    if samples.ndim != 3 or samples.shape[2] not in _CHANNELS or not samples.size:
        cure = ": pass list(x) for a batch" if array.ndim == 4 else ""
        raise ImageError(
            "Expected an array (h, w), (h, w, 1), (h, w, 2), (h, w, 3) or (h, w, 4) "
            f"with at least one pixel, received {array.shape}{cure}."
        )
    height, width, channels = samples.shape
    size_limits.check_memory(height, width, needed_memory(height, width))
    grey, has_alpha = channels < 3, channels % 2 == 0
    colours = np.repeat(samples[..., :1], 3, -1) if grey else samples[..., :3]
    return Photo(
        pixels=np.ascontiguousarray(colours),
        grey=grey,
        alpha=np.ascontiguousarray(samples[..., -1]) if has_alpha else None,
    )


def to_pillow(photo: Photo) -> Image.Image:
    """Returns a photo as a Pillow image of mode L, LA, RGB or RGBA.

    Its `info` is that of `pillow_info`.
    """
    image = Image.fromarray(photo.pixels[..., 0] if photo.grey else photo.pixels)
    if photo.alpha is not None:
        image.putalpha(Image.fromarray(photo.alpha))
    info = pillow_info(icc=photo.icc, exif=photo.exif, xmp=photo.xmp, dpi=photo.dpi)
    image.info.update(info)
    return image


def pillow_info(
    *,
    icc: bytes | None = None,
    exif: bytes | None = None,
    xmp: bytes | None = None,
    dpi: tuple[float, float] | None = None,
    **others: object,
) -> dict[str, Any]:
    """Returns what Pillow keeps in `info` of an image with this metadata.

    Its keys are `icc_profile`, `exif`, `xmp` and `dpi`, those that the image has.

    Args:
        icc, exif, xmp, dpi: as in `Photo`. The EXIF may say the resolution, too.
        others: other fields of `Photo`, which are left out.
    """
    del others
    info = {
        "icc_profile": icc,
        "exif": exif and exif_data.PREFIX + exif,
        "xmp": xmp,
        "dpi": dpi or exif_data.read_dpi(exif),
    }
    return {key: value for key, value in info.items() if value}
