"""Makes pairs of decoded and original photos with a real codec.

Files are `FOLDER/SETTING/PHOTO.webp`, lossless images of pairs (`data.pairs`). PHOTO is
the photo's name with its suffix, so that all pairs of a photo are held out or none is.
`codec.json` names the codec, and `pairs.jsonl` has one line of figures for each pair;
`scale` there is the one that was asked for.
"""

from __future__ import annotations

import io
import json
import os
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from tf_imgcomp.atomic_files import write_atomically
from tf_imgcomp.data.pairs import Pair, stack
from tf_imgcomp.data.photos import photo_files
from tf_imgcomp.errors import ImageError, ImgcompError
from tf_imgcomp.image_files.images import read_image
from tf_imgcomp.metrics import bpp, psnr
from tf_imgcomp.size_limits import MAX_PIXELS

CODEC, FIGURES = "codec.json", "pairs.jsonl"

_SIDE_MAX = 1024  # Larger photos are cropped to their centre; WebP's limit is 16383.
_SIDE_MIN = 256  # Photos are not reduced below it: the largest crops of the filters.
# For Pillow. More effort makes files 5 % smaller, but takes longer than coding.
_SAVE_OPTIONS = {"lossless": True, "quality": 30, "method": 2}


class Job(NamedTuple):
    """A pair to make.

    Attributes:
        photo: file to code.
        setting: int, of the encoder.
        scale: float, to which the photo is reduced before it is coded; at most 1.
        target: file to write.
    """

    photo: Path
    setting: int
    scale: float
    target: Path


def plan(
    folder: Path,
    output: Path,
    settings: Sequence[int],
    per_photo: int,
    scale_min: float = 1.0,
) -> list[Job]:
    """Plans the pairs of all photos in a folder, at any depth.

    Args:
        folder: folder of photos.
        output: folder for the pairs.
        settings: settings of the encoder, each 0 to 255.
        per_photo: number of settings for each photo, distributed evenly by the photos'
            names.
        scale_min: smallest scale to which photos are reduced. Each pair has its own
            scale between it and 1, by its name.

    Raises:
        ImageError: If the folder holds no photo.
    """
    photos = photo_files(folder)
    if not photos:
        raise ImageError(f"{folder}: no photos found")
    jobs = []
    for photo in photos:
        name = photo.relative_to(folder)
        first = zlib.crc32(os.fsencode(name))
        for number in range(per_photo):
            # Settings of a photo are spaced as widely as possible.
            place = (first + number * len(settings) // per_photo) % len(settings)
            target = Path(str(settings[place]), f"{name}.webp")
            scale = scale_min + (1 - scale_min) * _share(target)
            jobs.append(Job(photo, settings[place], scale, output / target))
    return jobs


def _share(path: Path) -> float:
    """A number of 0 to 1 that looks random and depends on the path alone."""
    return zlib.crc32(os.fsencode(path)) / 2**32


def make_pairs(
    jobs: Sequence[Job],
    output: Path,
    codec: Any,
    threads: int,
    max_pixels: int = MAX_PIXELS,
) -> Iterator[tuple[Job, str | None]]:
    """Makes the pairs that do not exist yet.

    If a run is killed and repeated, the resulting files are the same.

    Args:
        jobs: result of `plan`.
        output: the folder of all targets.
        codec: one of `classical.CODECS`, or another codec of files.
        threads: int, photos coded at the same time. Slow encoders run in processes of
            their own.
        max_pixels: largest number of pixels of a photo; 0: no limit.

    Yields:
        Each finished job with None, or with one line that says why it failed.

    Raises:
        ImgcompError: If the folder has pairs of another codec or scale.
    """
    _claim(output, codec)
    todo = _unfinished(jobs, output)
    with ThreadPoolExecutor(threads) as pool:
        try:
            code = partial(_code, codec, max_pixels)
            for job, result in zip(todo, pool.map(code, todo)):
                reason = result if isinstance(result, str) else None
                if not reason:
                    _write(job, output, *result)
                yield job, reason
        finally:
            pool.shutdown(cancel_futures=True)


def _name(job: Job, output: Path) -> str:
    return str(job.target.relative_to(output))


def _claim(output: Path, codec: Any) -> None:
    """Writes the codec's name to a new folder, or checks it in an existing one."""
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


def _unfinished(jobs: Sequence[Job], output: Path) -> list[Job]:
    """The jobs without a pair; raises ImgcompError for a pair at another scale."""
    scales, todo = _read_scales(output / FIGURES), []
    for job in jobs:
        scale = scales.get(_name(job, output))
        if scale is None:
            todo.append(job)
        elif scale != job.scale:
            raise ImgcompError(
                f"{job.target} is of a photo at scale {scale}, not {job.scale}: "
                "name another folder"
            )
    return todo


def _read_scales(path: Path) -> dict[str, float]:
    """Scales of the finished pairs; removes a line that was cut short."""
    if not path.exists():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    whole = [line for line in lines if line.endswith("\n")]
    if whole != lines:
        write_atomically(path, "".join(whole).encode(), overwrite=True)
    try:
        figures = [json.loads(line) for line in whole]
        return {each["pair"]: each["scale"] for each in figures}
    except (ValueError, KeyError, TypeError):
        raise ImgcompError(f"{path} is damaged: start with a new folder") from None


def _code(codec: Any, max_pixels: int, job: Job) -> tuple[bytes, dict] | str:
    """The file of a pair and its figures, or the reason for a failure."""
    try:
        photo = read_image(job.photo, max_pixels=max_pixels).pixels
        original = _reduced(_middle(photo), job.scale)
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
    line = json.dumps({"pair": _name(job, output), "scale": job.scale, **figures})
    with open(output / FIGURES, "a", encoding="utf-8") as log:
        log.write(line + "\n")


def _middle(pixels: np.ndarray) -> np.ndarray:
    """The photo, or the centre of a large one."""
    top, left = (max(size - _SIDE_MAX, 0) // 2 for size in pixels.shape[:2])
    return pixels[top : top + _SIDE_MAX, left : left + _SIDE_MAX]


def _reduced(pixels: np.ndarray, scale: float) -> np.ndarray:
    """The photo at a scale, or at the smallest one that leaves it `_SIDE_MIN` wide."""
    scale = min(max(scale, _SIDE_MIN / min(pixels.shape[:2])), 1.0)
    height, width = (round(scale * size) for size in pixels.shape[:2])
    image = Image.fromarray(pixels)
    return np.asarray(image.resize((width, height), Image.Resampling.LANCZOS))
