"""Packs photos into one file, for training elsewhere."""

import io
import os
import zipfile
import zlib
from pathlib import Path
from typing import Callable, NamedTuple

import numpy as np
from PIL import Image

from tf_imgcomp.atomic_files import write_atomically
from tf_imgcomp.data.photos import is_held_out, photo_files
from tf_imgcomp.errors import ImageError
from tf_imgcomp.image_files.images import read_image
from tf_imgcomp.size_limits import MAX_PIXELS


class Packed(NamedTuple):
    """Counts of a packed file.

    Attributes:
        train: number of photos to train on.
        held_out: number of photos held out.
        left: number of photos that did not fit.
        unreadable: names of files that could not be decoded, or have more than
            `max_pixels` pixels.
    """

    train: int
    held_out: int
    left: int
    unreadable: list


def pack_photos(
    folder: Path,
    output: Path,
    max_bytes: float,
    progress: Callable = iter,
    max_pixels: int = MAX_PIXELS,
) -> Packed:
    """Writes the photos of a folder into a ZIP file.

    Members are named `train/...` and `held_out/...`. Photos are added in a fixed
    pseudo-random order if they fit. A file is packed unchanged if Pillow alone reads
    the pixels that `read_image` does, and as a PNG of these if not (rotated photos, 16
    bits, HEIC).

    Args:
        folder: where the photos are, at any depth.
        output: the file to write, atomically.
        max_bytes: its maximum size.
        progress: function that wraps an iterable, such as `tqdm.tqdm`.
        max_pixels: largest number of pixels of a photo; 0: no limit.

    Raises:
        ImageError: If no training photo fits.
    """
    files = photo_files(folder)
    files.sort(key=lambda path: zlib.crc32(os.fsencode(path.name)))
    counts, left, unreadable, size = {"train": 0, "held_out": 0}, 0, [], 22
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        for path in progress(files):
            group = "held_out" if is_held_out(path.name) else "train"
            # Names in a ZIP file are UTF-8.
            name = os.fsencode(path.relative_to(folder)).decode(
                errors="backslashreplace"
            )
            name = f"{group}/{name}"
            if size + _packed_size(name, path.stat().st_size) > max_bytes:
                left += 1
                continue
            try:
                data, suffix = _packable(path, max_pixels)
            except (ImageError, OSError):
                unreadable.append(path.name)
                continue
            name += suffix
            if size + _packed_size(name, len(data)) > max_bytes:
                left += 1
                continue
            packed.writestr(zipfile.ZipInfo(name), data)
            size += _packed_size(name, len(data))
            counts[group] += 1
    if not counts["train"]:
        raise ImageError(f"{folder}: no training photo fits into {max_bytes:g} bytes")
    write_atomically(Path(output), archive.getvalue(), overwrite=True)
    return Packed(counts["train"], counts["held_out"], left, unreadable)


def _packed_size(name: str, size: int) -> int:
    """Bytes of a photo in the file, with its two headers that each have the name."""
    return size + 30 + 46 + 2 * len(name.encode())


def _packable(path: Path, max_pixels: int) -> tuple[bytes, str]:
    """The bytes to pack, and what its name gets at its end."""
    pixels = read_image(path, max_pixels=max_pixels).pixels
    data = path.read_bytes()
    if _is_plain(data, pixels):
        return data, ""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue(), ".png"


def _is_plain(data: bytes, pixels: np.ndarray) -> bool:
    """Whether Pillow alone reads these pixels."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            return np.array_equal(np.asarray(image.convert("RGB")), pixels)
    except Exception:  # Of many types; for formats of other packages, too.
        return False
