"""Packs photos into one file, for training elsewhere."""

import io
import zipfile
import zlib
from pathlib import Path
from typing import Callable, NamedTuple

from tf_imgcomp.atomic_files import write_atomically
from tf_imgcomp.data.images import read_image
from tf_imgcomp.data.photos import is_held_out, photo_files
from tf_imgcomp.errors import ImageError


class Packed(NamedTuple):
    """Counts of a packed file.

    Attributes:
        train: number of photos to train on.
        held_out: number of photos held out.
        left: number of photos that did not fit.
        unreadable: names of files that could not be decoded.
    """

    train: int
    held_out: int
    left: int
    unreadable: list


def pack_photos(
    folder: Path, output: Path, max_bytes: float, progress: Callable = iter
) -> Packed:
    """Writes the photos of a folder into a ZIP file, unchanged.

    Members are named `train/...` and `held_out/...`. Photos are added in a fixed
    pseudo-random order if they fit.

    Args:
        folder: where the photos are, at any depth.
        output: the file to write, atomically.
        max_bytes: its maximum size.
        progress: function that wraps an iterable, such as `tqdm.tqdm`.

    Raises:
        ImageError: If no training photo fits.
    """
    files = photo_files(folder)
    files.sort(key=lambda path: zlib.crc32(path.name.encode()))
    counts, left, unreadable, size = {"train": 0, "held_out": 0}, 0, [], 22
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        for path in progress(files):
            group = "held_out" if is_held_out(path.name) else "train"
            name = f"{group}/{path.relative_to(folder)}"
            # The photo and two headers, each with the name.
            needed = path.stat().st_size + 30 + 46 + 2 * len(name.encode())
            if size + needed > max_bytes:
                left += 1
            elif not _is_readable(path):
                unreadable.append(path.name)
            else:
                packed.write(path, name)
                size += needed
                counts[group] += 1
    if not counts["train"]:
        raise ImageError(f"{folder}: no training photo fits into {max_bytes:g} bytes")
    write_atomically(Path(output), archive.getvalue(), overwrite=True)
    return Packed(counts["train"], counts["held_out"], left, unreadable)


def _is_readable(path: Path) -> bool:
    try:
        read_image(path)
    except (ImageError, OSError):
        return False
    return True
