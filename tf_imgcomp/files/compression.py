"""From an image file to a `.tfci` file and back, path to path.

    photo.jpg ──► read_image ──► encode ──► photo.tfci
    photo.png ◄── write_image ◄── decode ◄───────┘

The codec is passed in, and only making one imports TensorFlow.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tf_imgcomp import metrics
from tf_imgcomp.data import images
from tf_imgcomp.data.writing import check_writable, write_atomically
from tf_imgcomp.files import bitstream, goals
from tf_imgcomp.files.encoding import decode
from tf_imgcomp.files.importance import emphasize, read_importance
from tf_imgcomp.image_codecs.interface import ImageCodec

SUFFIX = ".tfci"


@dataclass(frozen=True)
class Report:
    """What became of one file.

    Attributes:
        num_bytes: Size of the `.tfci` file.
        bpp: The same in bits per pixel.
        seconds: Wall time of coding and of reading or writing the image, without
            loading the codec.
        quality: float in [1, 100], as the file says.
        psnr: RGB PSNR in dB, None if nothing was compared.
        notes: What the user should know.
    """

    num_bytes: int
    bpp: float
    seconds: float
    quality: float
    psnr: float | None = None
    notes: tuple[str, ...] = ()


def compress_file(
    codec: ImageCodec,
    source: Path,
    target: Path,
    goal: goals.Goal,
    *,
    importance: Path | None = None,
    strip: bool = False,
    overwrite: bool = False,
) -> Report:
    """Compresses an image file.

    Args:
        codec: A loaded codec.
        source: An image in any format that Pillow opens.
        target: The `.tfci` file to write.
        goal: Quality, or what to search it for.
        importance: An image of the same size, bright where bits are to be spent.
            None: everywhere.
        strip: Whether to leave out ICC profile and EXIF.
        overwrite: Whether `target` may exist.

    Raises:
        ImgcompError: If the image cannot be read, or the goal not be reached.
        OSError: If a file cannot be read or written.
    """
    start = time.perf_counter()
    check_writable(target, overwrite, source)
    photo = images.read_image(source, codec.bytes_per_pixel)
    if strip:
        photo = goals.without_metadata(photo)
    height, width, _ = photo.pixels.shape
    if importance:
        field = read_importance(importance, height, width)
        photo = emphasize(codec, photo, field)
    encoded = goals.encode(codec, photo, goal)
    num_bytes = len(encoded.data)
    write_atomically(target, encoded.data, overwrite=overwrite)
    return Report(
        num_bytes=num_bytes,
        bpp=metrics.bpp(num_bytes, height, width),
        seconds=time.perf_counter() - start,
        quality=encoded.file.quality,
        psnr=encoded.psnr,
        notes=photo.notes,
    )


def decompress_file(
    load: Callable[[str], ImageCodec],
    source: Path,
    target: Path,
    *,
    overwrite: bool = False,
) -> Report:
    """Decompresses a `.tfci` file to an image file.

    Args:
        load: Returns the codec with an id, `models.load_by_id` for one.
        source: A `.tfci` file.
        target: The image to write, in the format that its extension names.
        overwrite: Whether `target` may exist.

    Raises:
        ImgcompError: If the file is damaged, its model is missing or another one, or
            the image cannot be written in this format.
        OSError: If a file cannot be read or written.
    """
    check_writable(target, overwrite, source)
    images.output_format(target)
    data = source.read_bytes()
    file = bitstream.unpack(data)
    codec = load(file.codec)
    start = time.perf_counter()
    photo = decode(codec, file)
    notes = images.write_image(target, photo, overwrite=overwrite)
    return Report(
        num_bytes=len(data),
        bpp=metrics.bpp(len(data), file.height, file.width),
        seconds=time.perf_counter() - start,
        quality=file.quality,
        notes=notes,
    )
