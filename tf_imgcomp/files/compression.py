"""From an image file to a `.tfci` file and back, path to path.

    photo.jpg ──► read_image ──► encode ──► photo.tfci
    photo.png ◄── write_image ◄── decode ◄───────┘

Callers pass the codec, or a function that loads it: only loading imports TensorFlow.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tf_imgcomp import bitstream, freed_memory, metrics, size_limits
from tf_imgcomp.atomic_files import check_writable, write_atomically
from tf_imgcomp.bitstream import TfciFile
from tf_imgcomp.files import choice, goals
from tf_imgcomp.files.encoding import decode
from tf_imgcomp.files.importance import emphasize, memory_to_emphasize, read_importance
from tf_imgcomp.image_codecs.interface import ImageCodec
from tf_imgcomp.image_files import images
from tf_imgcomp.regions import Region
from tf_imgcomp.size_limits import MAX_PIXELS, check_pixels

SUFFIX = ".tfci"

_LARGE = 100_000_000  # Bytes of pixels.


@dataclass(frozen=True)
class Report:
    """The result of compressing or decompressing one file.

    Attributes:
        num_bytes: Size of the `.tfci` file.
        bpp: The same in bits per pixel.
        seconds: Wall time of coding and of reading or writing the image. Loading the
            codec is not included.
        quality: float in [1, 100], as the file says.
        psnr: RGB PSNR in dB, None if it was not measured.
        notes: Messages for the user.
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
    others: Sequence[ImageCodec] = (),
    importance: Path | None = None,
    strip: bool = False,
    max_pixels: int = MAX_PIXELS,
    overwrite: bool = False,
) -> Report:
    """Compresses an image file.

    Args:
        codec: A loaded codec.
        source: An image in one of the formats of `image_files.formats`.
        target: The `.tfci` file to write.
        goal: Quality, size or PSNR.
        others: Codecs to try for what does not look like a photo, see `choice`.
        importance: An image of the same size, bright where bits are spent. None:
            everywhere.
        strip: Whether to leave out all metadata.
        max_pixels: Largest number of pixels of an image; 0: no limit.
        overwrite: Whether `target` may exist.

    Raises:
        ImgcompError: If the image cannot be read or the goal cannot be reached.
        OSError: If a file cannot be read or written.
    """
    start = time.perf_counter()
    check_writable(target, overwrite, source)

    def memory(height: int, width: int) -> float:
        more = memory_to_emphasize(height, width) if importance else 0.0
        return codec.memory_to_compress(height, width) + more

    with size_limits.shared(memory) as needed_memory:
        photo = images.read_image(source, needed_memory, max_pixels)
        if strip:
            photo = photo.without_metadata()
        height, width, _ = photo.pixels.shape
        if importance:
            field = read_importance(importance, height, width, max_pixels)
            photo = emphasize(codec, photo, field)
        encoded, notes = choice.encode_cheapest(codec, others, photo, goal)
    num_bytes, before = len(encoded.data), source.stat().st_size
    if num_bytes > before:
        notes += (f"larger than its source: {num_bytes} bytes, before {before}",)
    write_atomically(target, encoded.data, overwrite=overwrite)
    return Report(
        num_bytes=num_bytes,
        bpp=metrics.bpp(num_bytes, height, width),
        seconds=time.perf_counter() - start,
        quality=encoded.file.quality,
        psnr=encoded.psnr,
        notes=photo.notes + notes,
    )


def decompress_file(
    load: Callable[[str], ImageCodec],
    source: Path,
    target: Path,
    *,
    region: Region | None = None,
    scale: int = 1,
    max_pixels: int = MAX_PIXELS,
    overwrite: bool = False,
) -> Report:
    """Decompresses a `.tfci` file to an image file.

    Args:
        load: Function from an id to its codec, such as `models.load_by_id`.
        source: A `.tfci` file.
        target: The image to write. Its extension names the format.
        region: The part of the image to write; only tiles that it
            needs are decoded. None: all.
        scale: 2, 4, 8 or 16 for a preview so many times smaller. It needs the first
            part of the file only.
        max_pixels: Largest number of pixels to decode; 0: no limit.
        overwrite: Whether `target` may exist.

    Raises:
        ImgcompError: If the file is damaged or does not contain the region, its model
            is missing or has other weights, or the image cannot be written in this
            format.
        OSError: If a file cannot be read or written.
    """
    check_writable(target, overwrite, source)
    images.output_format(target)
    data = source.read_bytes()
    file, faults = read_file(data, is_preview=scale > 1)
    check_pixels(*file.decoded_size(region), max_pixels)
    codec = load(file.codec)
    with size_limits.shared(codec.memory_to_decompress) as needed_memory:
        needed_memory(file.height, file.width)  # Waits for other images.
        start = time.perf_counter()
        photo = decode(codec, file, region, scale)
        if photo.pixels.nbytes > _LARGE:  # Writing takes as much again.
            freed_memory.give_back()
        notes = images.write_image(target, photo, overwrite=overwrite)
    return Report(
        num_bytes=len(data),
        bpp=metrics.bpp(len(data), file.height, file.width),
        seconds=time.perf_counter() - start,
        quality=file.quality,
        notes=(*faults, *photo.notes, *notes),
    )


def read_file(data: bytes, is_preview: bool) -> tuple[TfciFile, tuple[str, ...]]:
    """Reads the bytes of a file for decoding.

    Returns:
        The file, and for a preview what is wrong with its second part.

    Raises:
        BitstreamError: If it is damaged; for a preview, in its first part.
    """
    if not is_preview:
        return bitstream.unpack(data), ()
    file, fault = bitstream.salvage(data)
    return file, (str(fault),) if fault else ()
