"""From an image file to a `.tfci` file and back, path to path.

    photo.jpg ──► read_image ──► encode ──► photo.tfci
    photo.png ◄── write_image ◄── decode ◄───────┘

The codec is passed in, and only making one imports TensorFlow.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tf_imgcomp import metrics
from tf_imgcomp.data import images
from tf_imgcomp.data.writing import check_writable, write_atomically
from tf_imgcomp.errors import ImgcompError
from tf_imgcomp.files import bitstream, budget
from tf_imgcomp.files.encoding import Goal, decode, encode
from tf_imgcomp.files.importance import emphasize, read_importance
from tf_imgcomp.image_codecs.interface import ImageCodec

SUFFIX = ".tfci"
_PSNR_MAX = 100.0  # For slopes: a perfect image has an infinite one.


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
    goal: Goal,
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
        photo = dataclasses.replace(photo, icc=None, exif=None)
    height, width, _ = photo.pixels.shape
    if importance:
        field = read_importance(importance, height, width)
        photo = emphasize(codec, photo, field)
    data, psnr = encode(codec, photo, goal)
    write_atomically(target, data, overwrite=overwrite)
    return Report(
        num_bytes=len(data),
        bpp=metrics.bpp(len(data), height, width),
        seconds=time.perf_counter() - start,
        quality=bitstream.unpack(data).quality,
        psnr=psnr,
        notes=photo.notes,
    )


def share_out_bits(
    codec: ImageCodec,
    sources: Sequence[Path],
    bpp: float,
    *,
    strip: bool = False,
    progress: Callable[[Iterable], Iterable] = iter,
) -> dict[Path, float]:
    """Finds a quality for each image, so that their mean PSNR is as high as can be.

    Args:
        codec: A loaded codec.
        sources: Images. Those that cannot be read get none.
        bpp: What all files together may have, in bits per pixel of all images.
        strip: Whether ICC profile and EXIF will be left out.
        progress: Wraps the images of each round while they are coded.

    Returns:
        Qualities of the images that can be read.

    Raises:
        ImgcompError: If the smallest files have more.
    """

    @functools.lru_cache(maxsize=1)  # The next trial is of the same image or of none.
    def read(source):
        photo = images.read_image(source, codec.bytes_per_pixel)
        return dataclasses.replace(photo, icc=None, exif=None) if strip else photo

    pixels = {}
    for source in sources:
        with contextlib.suppress(ImgcompError, OSError):
            pixels[source] = read(source).pixels.size // 3
    readable = list(pixels)

    known = {}

    def measure(number, quality):
        job = number, codec.setting(quality)
        if job not in known:
            photo = read(readable[number])
            data, _ = encode(codec, photo, Goal(quality=quality))
            file = bitstream.unpack(data)
            psnr = metrics.psnr(photo.pixels, decode(codec, file).pixels)
            known[job] = budget.Point(file.quality, len(data), min(psnr, _PSNR_MAX))
        return known[job]

    most = int(bpp * sum(pixels.values()) / 8)
    points = budget.search(measure, len(readable), most, progress)
    return {source: point.quality for source, point in zip(readable, points)}


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
