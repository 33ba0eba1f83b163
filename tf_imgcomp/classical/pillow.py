"""JPEG, JPEG 2000, WebP and AVIF through Pillow."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable

import numpy as np
import PIL
from PIL import Image, features


@dataclasses.dataclass(frozen=True)
class PillowCodec:
    """One of Pillow's image formats with the options that make a fair baseline.

    Attributes:
        name: Short name, as used by flags and in result files.
        title: Name for people, with what matters about the options.
        format: Pillow's name of the format.
        feature: Name of the format's library in `PIL.features`.
        settings: Settings that span the usual rates, from low to high quality.
        options: Function from a setting to the keyword arguments of `Image.save`.

    Example:
        >>> from tf_imgcomp.classical import CODECS
        >>> data = CODECS["jpeg"].encode(np.zeros((8, 8, 3), np.uint8), setting=50)
        >>> CODECS["jpeg"].decode(data).shape
        (8, 8, 3)
    """

    name: str
    title: str
    format: str
    feature: str
    settings: tuple[float, ...]
    options: Callable[[float], dict]

    @property
    def version(self) -> str:
        """Versions of Pillow and of the format's library."""
        library = features.version(self.feature)
        return f"Pillow {PIL.__version__}, {self.feature} {library}"

    def available(self) -> str | None:
        """Returns None, or what is missing, in a sentence for the user."""
        if features.check(self.feature):
            return None
        return f"Pillow {PIL.__version__} was built without {self.feature} support."

    def encode(self, pixels: np.ndarray, setting: float) -> bytes:
        """Returns the file for uint8 RGB pixels `(h, w, 3)`.

        The setting is the encoder's quality from 0 to 100, higher is better, except
        for JPEG 2000, where it is the rate to aim at in bits per pixel.
        """
        target = io.BytesIO()
        image = Image.fromarray(pixels)
        image.save(target, self.format, **self.options(setting))
        return target.getvalue()

    def decode(self, data: bytes) -> np.ndarray:
        """Returns the uint8 RGB pixels `(h, w, 3)` of a file.

        Raises:
            OSError: If the file is damaged or of another format.
        """
        with Image.open(io.BytesIO(data), formats=[self.format]) as image:
            return np.array(image.convert("RGB"))


def _jpeg(quality: float) -> dict:
    return {"quality": int(quality), "subsampling": "4:2:0", "optimize": True}


def _jpeg2000(bits_per_pixel: float) -> dict:
    # Without mct=1 the three channels are coded one by one, several dB worse.
    ratio = 24 / bits_per_pixel
    return {
        "irreversible": True,
        "mct": 1,
        "quality_mode": "rates",
        "quality_layers": [ratio],
    }


def _webp(quality: float) -> dict:
    return {"quality": int(quality), "method": 6}


def _avif(quality: float) -> dict:
    return {"quality": int(quality), "subsampling": "4:2:0"}


def _avif444(quality: float) -> dict:
    # By default libavif tunes for the looks, which costs PSNR.
    return {
        "quality": int(quality),
        "subsampling": "4:4:4",
        "speed": 4,
        "advanced": {"tune": "psnr"},
    }


CODECS = {
    codec.name: codec
    for codec in (
        PillowCodec(
            name="jpeg",
            title="JPEG 4:2:0",
            format="JPEG",
            feature="jpg",
            settings=(5, 10, 20, 35, 50, 65, 80, 90),
            options=_jpeg,
        ),
        PillowCodec(
            name="jpeg2000",
            title="JPEG 2000",
            format="JPEG2000",
            feature="jpg_2000",
            settings=(0.1, 0.15, 0.25, 0.4, 0.6, 0.9, 1.2, 1.6),
            options=_jpeg2000,
        ),
        PillowCodec(
            name="webp",
            title="WebP",
            format="WEBP",
            feature="webp",
            settings=(0, 5, 15, 30, 50, 70, 82, 92),
            options=_webp,
        ),
        PillowCodec(
            name="avif",
            title="AVIF 4:2:0",
            format="AVIF",
            feature="avif",
            settings=(15, 25, 35, 45, 55, 65, 75, 82),
            options=_avif,
        ),
        PillowCodec(
            name="avif444",
            title="AVIF 4:4:4, tuned for PSNR",
            format="AVIF",
            feature="avif",
            settings=(10, 18, 30, 42, 52, 62, 71),
            options=_avif444,
        ),
    )
}
