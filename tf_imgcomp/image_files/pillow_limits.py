"""Pillow's limits and Python's warnings while Pillow reads a file of unknown origin."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image, PngImagePlugin

from tf_imgcomp import size_limits
from tf_imgcomp.image_files import png

_BYTES_PER_PIXEL = 4  # Of a decoded image in Pillow.
_PILLOW = threading.RLock()


@contextmanager
def limited_by_memory() -> Iterator[None]:
    """Silences Pillow's warnings; its limit on sizes becomes the available memory.

    Its limit on the text and the ICC profile of a PNG becomes that of libpng. All are
    process-wide: one thread at a time. So no thread may wait in this context for one
    that reads or writes an image.
    """
    with _PILLOW, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        limits = Image.MAX_IMAGE_PIXELS, PngImagePlugin.MAX_TEXT_CHUNK
        PngImagePlugin.MAX_TEXT_CHUNK = png.LARGEST
        Image.MAX_IMAGE_PIXELS = size_limits.available_memory() // _BYTES_PER_PIXEL
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS, PngImagePlugin.MAX_TEXT_CHUNK = limits
