"""A folder of photos as one file of pixels, decoded once."""

import hashlib
import json
from pathlib import Path
from typing import Callable

import numpy as np
from PIL import Image

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".ppm"}


class PhotoFolder:
    """Random access to the photos of a folder, uint8 RGB, from a cache on disk.

    Opening decodes every photo once (TensorFlow cannot read WebP) and writes the
    pixels to one file beside an index; a changed folder makes a new one.

    Args:
        folder: where the photos are, at any depth.
        cache: folder for the cache; made if missing.
        keep: function of a file's name; False leaves the photo out.
        progress: function that wraps an iterable, such as `tqdm.tqdm`.

    Attributes:
        names: names of the photos.
        unreadable: names of files that Pillow could not decode.

    Raises:
        ValueError: If the folder holds no photo.
    """

    def __init__(
        self,
        folder: Path,
        cache: Path,
        keep: Callable = lambda name: True,
        progress: Callable = iter,
    ):
        files = sorted(
            path
            for path in Path(folder).rglob("*")
            if path.suffix.lower() in SUFFIXES and keep(path.name)
        )
        if not files:
            raise ValueError(f"Expected photos in {folder}, found none.")
        listing = "\n".join(f"{path} {path.stat().st_size}" for path in files)
        stem = Path(cache) / hashlib.sha256(listing.encode()).hexdigest()[:16]
        if not stem.with_suffix(".json").exists():
            _decode(progress(files), stem)
        index = json.loads(stem.with_suffix(".json").read_text())
        self.names, self.unreadable = index["names"], index["unreadable"]
        self._shapes, self._offsets = index["shapes"], index["offsets"]
        self._pixels = np.memmap(stem.with_suffix(".pixels"), np.uint8, "r")

    def __len__(self) -> int:
        return len(self.names)

    def smaller_than(self, size: int) -> int:
        """How many photos have a side below `size`."""
        return sum(min(shape) < size for shape in self._shapes)

    def __getitem__(self, number: int) -> np.ndarray:
        """Photo `number`, uint8 `(h, w, 3)`, a view of the cache."""
        height, width = self._shapes[number]
        start = self._offsets[number]
        flat = self._pixels[start : start + height * width * 3]
        return flat.reshape(height, width, 3)


def _decode(files, stem: Path) -> None:
    """Writes the pixels of all files, then the index: whole or not at all."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    index = {"names": [], "shapes": [], "offsets": [], "unreadable": []}
    offset = 0
    with open(stem.with_suffix(".pixels"), "wb") as out:
        for path in files:
            try:
                with Image.open(path) as image:
                    pixels = np.asarray(image.convert("RGB"))
            except (OSError, ValueError):
                index["unreadable"].append(path.name)
                continue
            out.write(pixels.tobytes())
            index["names"].append(path.name)
            index["shapes"].append(pixels.shape[:2])
            index["offsets"].append(offset)
            offset += pixels.size
    temporary = stem.with_suffix(".part")
    temporary.write_text(json.dumps(index))
    temporary.rename(stem.with_suffix(".json"))
