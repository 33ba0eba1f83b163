#!/usr/bin/env -S python3 -I
"""Compares photos with their reconstructions by this and by classical codecs.

    bin/compare photo.jpg                     # Writes photo.comparison.png, and .json.
    bin/compare --model=mfca_pmcn --target_bpp=0.3 --output=comparison.pdf photo.png
    bin/compare --codecs=jpeg,webp,avif444 --quality=20 --output=compared/ holiday/

The picture shows the original, our reconstruction and those of classical codecs. A
classical codec gets the best setting whose file is not larger than ours (its smallest
file if all are larger). Below are the errors of each, on one scale, and a map of the
codec: its importance map, or the size of its latents, which cost the bits. The numbers
go to a .json file beside the picture. Sizes are without alpha, ICC profile and EXIF.

An input is a file, a folder or a glob. Exit code 1 if a file failed, 2 for a usage
error.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # No start-up noise.

import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from absl import flags

from tf_imgcomp.atomic_files import check_writable, write_atomically
from tf_imgcomp.bitstream import TfciFile
from tf_imgcomp.classical import CODECS, FileCodec
from tf_imgcomp.classical.size_search import encode_within
from tf_imgcomp.errors import ClassicalCodecError, ImageError
from tf_imgcomp.evaluation import report, side_by_side
from tf_imgcomp.evaluation.side_by_side import PositionMap, Reconstruction
from tf_imgcomp.files import goals
from tf_imgcomp.image_codecs import models
from tf_imgcomp.image_codecs.interface import Coded, ImageCodec
from tf_imgcomp.image_files import images
from tf_imgcomp.image_files.images import Photo
from tf_imgcomp_bin.command_line import (
    coding_flags,
    file_jobs,
    goal_flags,
    input_flags,
    messages,
    paths,
    program,
    startup,
)

PROGRAM = "compare"

flags.adopt_module_key_flags(coding_flags)
flags.adopt_module_key_flags(goal_flags)
_CODECS = flags.DEFINE_list(
    "codecs", "jpeg,jpeg2000", f"Classical codecs to show: {', '.join(CODECS)}."
)

_SUFFIX = ".comparison.png"
_FORMATS = {".png": "png", ".pdf": "pdf"}
_SIDE = 16  # Pixels per side of a latent position.


@flags.validator(_CODECS.name, message=f"Expected some of {', '.join(CODECS)}.")
def _are_codecs(names: list[str]) -> bool:
    return set(names) <= CODECS.keys()


def compare(inputs: Sequence[str]) -> int:
    classical = [CODECS[name] for name in _CODECS.value]
    for rival in classical:
        if missing := rival.available():
            raise ClassicalCodecError(f"{rival.name}: {missing}")
    photos = paths.expand_inputs(inputs, images.input_suffixes())
    jobs = paths.output_paths(
        photos,
        coding_flags.OUTPUT.value,
        _SUFFIX,
        into_folder=paths.name_a_folder(inputs),
    )
    threads = coding_flags.THREADS.value
    find = functools.partial(models.load, workers=startup.workers(threads))
    load = startup.fast_startup(find, threads)
    codec = load(coding_flags.MODEL.value or models.DEFAULT)

    def work(source: Path, target: Path) -> str:
        return compare_photo(codec, classical, source, target)

    return file_jobs.each_file(PROGRAM, jobs, work)


def compare_photo(
    codec: ImageCodec,
    classical: Sequence[FileCodec],
    source: Path,
    target: Path,
) -> str:
    """Writes the picture and the numbers of a photo; returns a line on them."""
    file_format = _FORMATS.get(target.suffix.lower())
    if file_format is None:
        raise ImageError(f"{target}: expected a name that ends in .png or .pdf")
    numbers = target.with_suffix(".json")
    for path in (target, numbers):
        check_writable(path, coding_flags.OVERWRITE.value, source)
    photo = images.read_image(
        source, codec.memory_to_compress, input_flags.MAX_PIXELS.value
    )
    for note in photo.notes:
        messages.complain(PROGRAM, f"{source}: {note}")
    photo = Photo(photo.pixels, photo.grey)
    ours, position_map = _ours(codec, photo)
    limit = ours.figures.num_bytes
    shown = [ours, *(_classical(each, photo.pixels, limit) for each in classical)]
    picture = side_by_side.draw(photo.pixels, shown, position_map, file_format)
    rows = [each.figures for each in shown]
    text = report.json_text({"codecs": rows})
    for path, data in ((target, picture), (numbers, text.encode())):
        write_atomically(path, data, overwrite=coding_flags.OVERWRITE.value)
    results = [f"{row.codec} {row.num_bytes} bytes {row.psnr:.2f} dB" for row in rows]
    return f"{source} -> {target}: {', '.join(results)}"


def _ours(codec: ImageCodec, photo: Photo) -> tuple[Reconstruction, PositionMap | None]:
    encoded = goals.encode(codec, photo, goal_flags.goal())
    file = encoded.file
    x_hat = codec.from_file(file)
    figures = side_by_side.measure(
        codec.id, file.quality, len(encoded.data), photo.pixels, x_hat
    )
    reconstruction = Reconstruction(codec.id, x_hat, figures)
    return reconstruction, _position_map(codec, photo, file)


def _position_map(
    codec: ImageCodec, photo: Photo, file: TfciFile
) -> PositionMap | None:
    """The importance map of a photo, or the sizes of its latents; None without both."""
    weights = codec.importance(photo.pixels, file.quality)
    if weights is not None:
        return PositionMap("importance map", weights, _SIDE)
    y_hat = codec.latents(Coded.of(file), file.height, file.width)
    if y_hat is None:
        return None
    # An integer's bits grow with its logarithm.
    size = np.log2(1 + np.abs(y_hat[0])).sum(axis=-1)
    return PositionMap("size of the latents, in bits", size, _SIDE)


def _classical(codec: FileCodec, x: np.ndarray, limit: int) -> Reconstruction:
    try:
        setting, data = encode_within(codec, x, limit)
        x_hat = codec.decode(data)
    except ClassicalCodecError as error:
        raise ClassicalCodecError(f"{codec.name}: {error}") from None
    figures = side_by_side.measure(codec.name, setting, len(data), x, x_hat)
    return Reconstruction(codec.title, x_hat, figures)


def main(argv: Sequence[str]) -> int:
    if len(argv) < 2:
        program.end_with_usage_error(PROGRAM, "expected at least one input")
    return program.guard(PROGRAM, lambda: compare(argv[1:]))


def run() -> None:
    program.run(PROGRAM, main)


if __name__ == "__main__":
    run()
