"""Measures codecs: one point for every codec, setting and image.

pixels ──► encode ──► file ──► decode ──► pixels
  │                    │                    │
  │                    ▼                    │
  │                   bpp                   │
  └──► PSNR, MS-SSIM and SSIMULACRA2 ◄──────┘
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from pathlib import Path

import numpy as np

from tf_imgcomp import metrics
from tf_imgcomp.atomic_files import write_atomically
from tf_imgcomp.classical import FileCodec

_CACHE_FORMAT = 2  # Increase when a measured number is added or changes its meaning.


@dataclasses.dataclass(frozen=True)
class Point:
    """One image through one codec at one setting.

    Attributes:
        codec: Name of the codec.
        setting: The codec's setting: a quality, a QP, or a rate for JPEG 2000.
        image: Name of the image.
        height: Height of the image in pixels.
        width: Width of the image in pixels.
        num_bytes: Size of the whole file.
        bpp: `num_bytes` in bits per pixel.
        psnr: RGB PSNR of the 8-bit pixels in dB; infinite if they are equal.
        ms_ssim: MS-SSIM of the same, at most 1.0.
        ms_ssim_db: The same in dB.
        ssimulacra2: SSIMULACRA2 of the same, at most 100; NaN for a small image.
        encode_seconds: Wall time from pixels to bytes.
        decode_seconds: Wall time from bytes to pixels.
    """

    codec: str
    setting: float
    image: str
    height: int
    width: int
    num_bytes: int
    bpp: float
    psnr: float
    ms_ssim: float
    ms_ssim_db: float
    ssimulacra2: float
    encode_seconds: float
    decode_seconds: float


def measure(codec: FileCodec, setting: float, name: str, pixels: np.ndarray) -> Point:
    """Encodes and decodes an image and measures the result.

    Args:
        codec: The codec.
        setting: A setting that the codec knows.
        name: Name of the image, for the result.
        pixels: uint8 `(h, w, 3)`, RGB.
    """
    start = time.perf_counter()
    data = codec.encode(pixels, setting)
    encoded = time.perf_counter()
    decoded_pixels = codec.decode(data)
    decoded = time.perf_counter()
    height, width = pixels.shape[:2]
    similarity = metrics.ms_ssim(pixels, decoded_pixels)
    return Point(
        codec=codec.name,
        setting=setting,
        image=name,
        height=height,
        width=width,
        num_bytes=len(data),
        bpp=metrics.bpp(len(data), height, width),
        psnr=metrics.psnr(pixels, decoded_pixels),
        ms_ssim=similarity,
        ms_ssim_db=metrics.ms_ssim_db(similarity),
        ssimulacra2=metrics.ssimulacra2(pixels, decoded_pixels),
        encode_seconds=encoded - start,
        decode_seconds=decoded - encoded,
    )


class Cache:
    """Measured points in a folder; each is measured once.

    The key is codec, version, setting and pixels, not the image's name. Times are those
    of the first measurement.

    Args:
        folder: One JSON file for each point. Created when first needed.
    """

    def __init__(self, folder: Path):
        self._folder = Path(folder)

    def measure(
        self, codec: FileCodec, setting: float, name: str, pixels: np.ndarray
    ) -> Point:
        """Returns the cached point, or measures and caches it."""
        key = [_CACHE_FORMAT, codec.name, codec.version, setting, pixels.shape]
        digest = hashlib.sha256(json.dumps(key).encode())
        digest.update(np.ascontiguousarray(pixels).data)
        path = self._folder / f"{digest.hexdigest()[:32]}.json"
        if path.exists():
            known = Point(**json.loads(path.read_text()))
            return dataclasses.replace(known, image=name)
        point = measure(codec, setting, name, pixels)
        text = json.dumps(dataclasses.asdict(point))
        write_atomically(path, text.encode(), overwrite=True)
        return point
