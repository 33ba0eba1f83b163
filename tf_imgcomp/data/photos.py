"""A folder of photos, decoded once into one file of pixels."""

import hashlib
import json
import os
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from tf_imgcomp.atomic_files import open_atomically, write_atomically
from tf_imgcomp.errors import ImageError
from tf_imgcomp.image_files.formats import input_suffixes
from tf_imgcomp.image_files.images import read_image
from tf_imgcomp.size_limits import MAX_PIXELS

ONE_HELD_OUT_IN = 50  # Where training says nothing else.
_READING = 4  # Increase when `read_image` gives other pixels for the same files.


def is_held_out(name: str, one_in: int = ONE_HELD_OUT_IN) -> bool:
    """Whether a photo is held out for validation.

    The part of its name before the second underscore decides, so several crops of one
    photo stay together if they share that part.

    Args:
        name: of the photo's file.
        one_in: one name in so many is held out.
    """
    return zlib.crc32(os.fsencode("_".join(name.split("_")[:2]))) % one_in == 0


def photo_files(folder: Path) -> list:
    """The files in a folder, at any depth, with an image's extension, sorted."""
    files, suffixes = Path(folder).rglob("*"), input_suffixes()
    return sorted(
        path for path in files if path.suffix.lower() in suffixes and path.is_file()
    )


class PhotoFolder:
    """Random access to the photos of a folder, uint8 RGB, from a cache on disk.

    Opening decodes every photo once (TensorFlow cannot read WebP) and writes the
    pixels to one file beside an index. A changed folder gets a new cache.

    Args:
        folder: folder of the photos, at any depth.
        cache: folder for the cache; made if missing.
        keep: function of a file's name; False leaves the photo out.
        progress: function that wraps an iterable, such as `tqdm.tqdm`.
        max_pixels: largest number of pixels of a photo; 0: no limit.

    Attributes:
        names: names of the photos.
        listing_hash: of paths in the folder and sizes of the files.
        unreadable: names of files that could not be decoded, or have more than
            `max_pixels` pixels.

    Raises:
        ImageError: If the folder holds no photo that can be read.
    """

    def __init__(
        self,
        folder: Path,
        cache: Path,
        keep: Callable = lambda name: True,
        progress: Callable = iter,
        max_pixels: int = MAX_PIXELS,
    ):
        files = [path for path in photo_files(folder) if keep(path.name)]
        if not files:
            raise ImageError(f"{folder}: no photos found")
        stats = [path.stat() for path in files]
        names = [path.relative_to(folder) for path in files]
        self.listing_hash = _hash((n, s.st_size) for n, s in zip(names, stats))
        rows = [(f, s.st_size, s.st_mtime_ns) for f, s in zip(files, stats)]
        stem = Path(cache) / _hash([*rows, (_READING, max_pixels)])
        if not stem.with_suffix(".json").exists():
            _decode(progress(files), stem, max_pixels)
        index = json.loads(stem.with_suffix(".json").read_text())
        self.names, self.unreadable = index["names"], index["unreadable"]
        if not self.names:
            raise ImageError(f"{folder}: no photo can be read")
        self._shapes, self._offsets = index["shapes"], index["offsets"]
        self._pixels = np.memmap(stem.with_suffix(".pixels"), np.uint8, "r")

    def __len__(self) -> int:
        return len(self.names)

    def smaller_than(self, size: int, pictures: int = 1) -> int:
        """Number of images whose pictures, one above another, have a side < `size`."""
        return sum(min(h // pictures, w) < size for h, w in self._shapes)

    def __getitem__(self, number: int) -> np.ndarray:
        """Photo `number`, uint8 `(h, w, 3)`, a view of the cache."""
        height, width = self._shapes[number]
        start = self._offsets[number]
        flat = self._pixels[start : start + height * width * 3]
        return flat.reshape(height, width, 3)


def _hash(rows: Iterable[tuple]) -> str:
    listing = "\n".join(" ".join(map(str, row)) for row in rows)
    return hashlib.sha256(os.fsencode(listing)).hexdigest()[:16]


def _decode(files: Iterable[Path], stem: Path, max_pixels: int) -> None:
    """Writes the pixels of all files, then the index, each atomically."""
    index: dict[str, list[Any]] = {
        kind: [] for kind in ("names", "shapes", "offsets", "unreadable")
    }
    offset = 0
    with open_atomically(stem.with_suffix(".pixels"), overwrite=True) as out:
        for path in files:
            try:
                pixels = read_image(path, max_pixels=max_pixels).pixels
            except (ImageError, OSError):
                index["unreadable"].append(path.name)
                continue
            out.write(pixels.tobytes())
            index["names"].append(path.name)
            index["shapes"].append(pixels.shape[:2])
            index["offsets"].append(offset)
            offset += pixels.size
    text = json.dumps(index)
    write_atomically(stem.with_suffix(".json"), text.encode(), overwrite=True)
