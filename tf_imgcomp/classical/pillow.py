"""JPEG, JPEG 2000, WebP, AVIF, HEIC and JPEG XL through Pillow."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from PIL import Image, UnidentifiedImageError

from tf_imgcomp.classical.option_hash import option_hash
from tf_imgcomp.classical.pillow_features import Feature
from tf_imgcomp.errors import ClassicalCodecError
from tf_imgcomp.image_files.pillow_limits import limited_by_memory
from tf_imgcomp.image_files.plugins import HEIF, JXL, Plugin

_SOME_SETTING = 50  # All codecs here know it.


@dataclasses.dataclass(frozen=True)
class PillowCodec:
    """A Pillow format with the options of a fair baseline, see `FileCodec`.

    A setting is the encoder's quality from 0 to 100, higher is better. For JPEG 2000,
    it is the target rate in bits per pixel.

    Attributes:
        name: Short name, as used by flags and in result files.
        title: Name for people, with the options that matter.
        format: Pillow's name of the format.
        library: Library that reads and writes the format.
        settings: Settings that span the usual rates, from low to high quality.
        options: Function from a setting to the keyword arguments of `Image.save`.
        all_settings: Every setting worth trying, from the smallest file to the largest.

    Example:
        >>> from tf_imgcomp.classical import CODECS
        >>> data = CODECS["jpeg"].encode(np.zeros((8, 8, 3), np.uint8), setting=50)
        >>> CODECS["jpeg"].decode(data).shape
        (8, 8, 3)
    """

    name: str
    title: str
    format: str
    library: Feature | Plugin
    settings: tuple[float, ...]
    options: Callable[[float], dict]
    all_settings: Sequence[float] = range(101)

    @property
    def version(self) -> str:
        options = option_hash(self.options(_SOME_SETTING))
        return f"{self.library.version}, options {options}"

    def available(self) -> str | None:
        return self.library.missing()

    def encode(self, pixels: np.ndarray, setting: float) -> bytes:
        self.library.load()
        target = io.BytesIO()
        image = Image.fromarray(pixels)
        try:
            image.save(target, self.format, **self.options(setting))
        except Exception as error:  # Of many types, for sides over the format's limit.
            raise ClassicalCodecError(
                f"{image.width} x {image.height} pixels cannot be written as "
                f"{self.format}: {error}"
            ) from None
        return target.getvalue()

    def size(self, data: bytes) -> tuple[int, int]:
        with self._open(data) as image:
            return image.height, image.width

    def decode(self, data: bytes) -> np.ndarray:
        with self._open(data) as image:
            return np.array(image.convert("RGB"))

    @contextmanager
    def _open(self, data: bytes) -> Iterator[Image.Image]:
        self.library.load()
        try:
            stream = io.BytesIO(data)
            with limited_by_memory():
                with Image.open(stream, formats=[self.format]) as image:
                    yield image
        except UnidentifiedImageError:
            raise ClassicalCodecError(f"not a {self.format} file") from None
        except MemoryError:
            raise
        # Pillow raises many types of exceptions for damaged files.
        except Exception as error:
            reason = str(error).strip().split("\n")[0]
            raise ClassicalCodecError(f"damaged {self.format} file: {reason}") from None


def _jpeg(quality: float, subsampling: str) -> dict:
    return {"quality": int(quality), "subsampling": subsampling, "optimize": True}


def _jpeg2000(bits_per_pixel: float) -> dict:
    # Without mct=1 the three channels are coded separately, several dB worse.
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
    # By default libavif tunes for perceptual quality, which costs PSNR.
    return {
        "quality": int(quality),
        "subsampling": "4:4:4",
        "speed": 4,
        "advanced": {"tune": "psnr"},
    }


def _heic(quality: float) -> dict:
    return {"quality": int(quality), "subsampling": "4:2:0"}


def _jxl(quality: float) -> dict:
    return {"quality": int(quality), "effort": 7}


def _webp_lossless(setting: float) -> dict:
    del setting
    return {"lossless": True, "method": 6}


# Not in `CODECS`: it has no curve of rate and distortion.
WEBP_LOSSLESS = PillowCodec(
    name="webp_lossless",
    title="WebP, lossless",
    format="WEBP",
    library=Feature("webp"),
    settings=(100,),
    options=_webp_lossless,
    all_settings=(100,),
)


def _avif444_fast(quality: float) -> dict:
    return {**_avif444(quality), "speed": 8}


def _webp_lossless_fast(setting: float) -> dict:
    return {**_webp_lossless(setting), "method": 0}


CODECS = (
    PillowCodec(
        name="jpeg",
        title="JPEG 4:2:0",
        format="JPEG",
        library=Feature("jpg"),
        settings=(5, 10, 20, 35, 50, 65, 80, 90),
        options=lambda quality: _jpeg(quality, "4:2:0"),
        all_settings=range(1, 101),
    ),
    PillowCodec(
        name="jpeg444",
        title="JPEG 4:4:4",
        format="JPEG",
        library=Feature("jpg"),
        settings=(5, 10, 20, 35, 50, 65, 80, 90),
        options=lambda quality: _jpeg(quality, "4:4:4"),
        all_settings=range(1, 101),
    ),
    PillowCodec(
        name="jpeg2000",
        title="JPEG 2000",
        format="JPEG2000",
        library=Feature("jpg_2000"),
        settings=(0.1, 0.15, 0.25, 0.4, 0.6, 0.9, 1.2, 1.6),
        options=_jpeg2000,
        all_settings=tuple(np.geomspace(0.01, 24, 1000).tolist()),
    ),
    PillowCodec(
        name="webp",
        title="WebP",
        format="WEBP",
        library=Feature("webp"),
        settings=(0, 5, 15, 30, 50, 70, 82, 92),
        options=_webp,
    ),
    PillowCodec(
        name="avif",
        title="AVIF 4:2:0",
        format="AVIF",
        library=Feature("avif"),
        settings=(15, 25, 35, 45, 55, 65, 75, 82),
        options=_avif,
    ),
    PillowCodec(
        name="avif444",
        title="AVIF 4:4:4, tuned for PSNR",
        format="AVIF",
        library=Feature("avif"),
        settings=(10, 18, 30, 42, 52, 62, 71),
        options=_avif444,
    ),
    PillowCodec(
        name="heic",
        title="HEIC 4:2:0",
        format="HEIF",
        library=HEIF,
        settings=(5, 12, 20, 28, 36, 45, 55),
        options=_heic,
    ),
    PillowCodec(
        name="jxl",
        title="JPEG XL",
        format="JXL",
        library=JXL,
        settings=(0, 10, 25, 40, 55, 70, 80, 88, 93),
        options=_jxl,
    ),
)

# Encoders for trials, not in `CODECS`. Any decoder of the format reads their files. On
# Kodak image 5, a scan and a screenshot, that of AVIF is 10 to 25 times as fast and 0.7
# to 1.5 dB worse, and that of WebP 3 to 30 times as fast with 10 to 40 % more bytes.
FAST = {
    codec.name: dataclasses.replace(codec, options=options)
    for codec, options in (
        (next(codec for codec in CODECS if codec.name == "avif444"), _avif444_fast),
        (WEBP_LOSSLESS, _webp_lossless_fast),
    )
}
