"""Making pairs: photos through a real encoder and decoder, into a folder.

Files are `FOLDER/SETTING/PHOTO.webp`, images of pairs (`data.pairs`) without loss;
PHOTO is the photo's name with its suffix, so that all pairs of a photo are held out
from training, or none. Beside them, `codec.json` says what coded them, and
`pairs.jsonl` has a line of figures for each pair.
"""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from tf_imgcomp.classical import FileFormat
from tf_imgcomp.data.images import read_image
from tf_imgcomp.data.pairs import Pair, stack
from tf_imgcomp.data.photos import photo_files
from tf_imgcomp.data.writing import write_atomically
from tf_imgcomp.errors import ImageError, ImgcompError
from tf_imgcomp.metrics import bpp, psnr

CODEC, FIGURES = "codec.json", "pairs.jsonl"

_SIDE_MAX = 1024  # A larger photo gives its middle; WebP ends at 16383 rows.
# In Pillow. More effort makes pairs 5 % smaller and takes longer than coding them.
_SAVE_OPTIONS = {"lossless": True, "quality": 30, "method": 2}


class Job(NamedTuple):
    """A pair to be made.

    Attributes:
        photo: file to code.
        setting: int, what to tell the encoder.
        target: file to write.
    """

    photo: Path
    setting: int
    target: Path


def plan(
    folder: Path, output: Path, settings: Sequence[int], per_photo: int
) -> list[Job]:
    """Which pairs to make of the photos in a folder, at any depth.

    Args:
        folder: where the photos are.
        output: where the pairs go.
        settings: what encoders are told, each 0 to 255.
        per_photo: at how many of them each photo is coded. They are dealt evenly, by
            the names of the photos.

    Raises:
        ImageError: If the folder holds no photo.
    """
    photos = photo_files(folder)
    if not photos:
        raise ImageError(f"{folder}: no photos there")
    jobs = []
    for photo in photos:
        name = photo.relative_to(folder)
        first = zlib.crc32(str(name).encode())
        for number in range(per_photo):
            # As far from one another as they can be.
            place = (first + number * len(settings) // per_photo) % len(settings)
            target = output / str(settings[place]) / f"{name}.webp"
            jobs.append(Job(photo, settings[place], target))
    return jobs


def make_pairs(
    jobs: Sequence[Job], output: Path, codec: FileFormat, threads: int
) -> Iterator[tuple[Job, str | None]]:
    """Makes the pairs that are not there yet.

    Killed at any moment and called again, it ends with the same files.

    Args:
        jobs: what `plan` gave.
        output: the folder of all targets.
        codec: one of `classical.CODECS`, or another file format.
        threads: int, how many photos are coded at a time. The codecs worth waiting for
            are processes of their own.

    Yields:
        Each job as it is done, and None, or in one line why there is no pair of it.

    Raises:
        ImgcompError: If the pairs there are another codec's.
    """
    _claim(output, codec)
    done = _read_figures(output / FIGURES)
    todo = [job for job in jobs if _name(job, output) not in done]
    with ThreadPoolExecutor(threads) as pool:
        try:
            for job, result in zip(todo, pool.map(partial(_code, codec), todo)):
                reason = result if isinstance(result, str) else None
                if not reason:
                    _write(job, output, *result)
                yield job, reason
        finally:
            pool.shutdown(cancel_futures=True)


def _name(job: Job, output: Path) -> str:
    return str(job.target.relative_to(output))


def _claim(output: Path, codec: FileFormat) -> None:
    """Says in a new folder which codec's pairs are there; checks it in an old one."""
    ours = {"codec": codec.name, "version": codec.version}
    path = output / CODEC
    if not path.exists():
        text = json.dumps(ours, indent=1) + "\n"
        write_atomically(path, text.encode(), overwrite=True)
        return
    try:
        theirs = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise ImgcompError(f"{path} is damaged: start with a new folder") from None
    if theirs != ours:
        raise ImgcompError(
            f"{path} is for {theirs}, not for {ours}: name another folder"
        )


def _read_figures(path: Path) -> set[str]:
    """Names of the pairs that are done; drops the line that a kill cut short."""
    if not path.exists():
        return set()
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    whole = [line for line in lines if line.endswith("\n")]
    if whole != lines:
        write_atomically(path, "".join(whole).encode(), overwrite=True)
    try:
        return {json.loads(line)["pair"] for line in whole}
    except (ValueError, KeyError, TypeError):
        raise ImgcompError(f"{path} is damaged: start with a new folder") from None


def _code(codec: FileFormat, job: Job) -> tuple[bytes, dict] | str:
    """The file of a pair and its figures, or why it cannot be made."""
    try:
        original = _middle(read_image(job.photo).pixels)
        data = codec.encode(original, job.setting)
        decoded = codec.decode(data)
    except (ImgcompError, OSError, ValueError) as error:
        return " ".join(str(error).split())
    file = io.BytesIO()
    pair = Pair(decoded, original, job.setting)
    Image.fromarray(stack(pair)).save(file, "WEBP", **_SAVE_OPTIONS)
    return file.getvalue(), {
        "bpp": round(bpp(len(data), *original.shape[:2]), 4),
        "psnr": round(psnr(original, decoded), 3),
    }


def _write(job: Job, output: Path, file: bytes, figures: dict) -> None:
    write_atomically(job.target, file, overwrite=True)
    line = json.dumps({"pair": _name(job, output), **figures})
    with open(output / FIGURES, "a", encoding="utf-8") as log:
        log.write(line + "\n")


def _middle(pixels: np.ndarray) -> np.ndarray:
    """All of a photo, or the middle of a large one."""
    top, left = (max(size - _SIDE_MAX, 0) // 2 for size in pixels.shape[:2])
    return pixels[top : top + _SIDE_MAX, left : left + _SIDE_MAX]
