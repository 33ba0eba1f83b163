#!/usr/bin/env -S python3 -I
"""Demonstrates the codec on photos; bin/quickstart runs it.

    bin/quickstart [PHOTO...]

Compresses each photo, decompresses the file and measures the result. For each photo it
writes to quickstart_out/: NAME.tfci, the file; NAME.png, the decoded photo;
NAME_side_by_side.png, the original beside it. Without a photo it takes one of
examples/.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # No start-up noise.

import sys
from pathlib import Path

import numpy as np
from absl import app
from PIL import Image, ImageDraw, ImageFont

_EXAMPLE = Path(__file__).parents[1] / "examples" / "chelsea.png"
_OUTPUT = Path("quickstart_out")
_QUALITY = 50.0  # The default of bin/compress.
_PANEL = 800  # Pixels. A larger photo is shown reduced, with a detail in full size.
_COLUMNS = "{:24.24} {:>11} {:>9} {:>7} {:>8} {:>8} {:>9} {:>9}".format


def _load_codec():
    from tf_imgcomp.image_codecs import models

    codec = models.load(models.DEFAULT)
    # The first calls are slower, so they are made here, unmeasured.
    codec.decode(codec.encode(np.zeros((64, 64, 3), np.uint8), _QUALITY))
    return codec


def _show(codec, photo: Path) -> str:
    """Compresses, decompresses, measures and draws a photo; returns a table row."""
    from tf_imgcomp import metrics
    from tf_imgcomp.files import compression
    from tf_imgcomp.files.goals import Goal
    from tf_imgcomp.image_files.images import read_image

    file = _OUTPUT / (photo.stem + compression.SUFFIX)
    result = file.with_suffix(".png")
    goal = Goal(quality=_QUALITY)
    coded = compression.compress_file(codec, photo, file, goal, overwrite=True)
    decoded = compression.decompress_file(lambda _: codec, file, result, overwrite=True)
    x, x_hat = read_image(photo).pixels, read_image(result).pixels
    psnr = f"{metrics.psnr(x, x_hat):.2f}"
    labels = (
        f"original: {photo.stat().st_size:,} bytes",
        f"decoded: {coded.num_bytes:,} bytes, {psnr} dB",
    )
    picture = _side_by_side(x, x_hat, labels)
    picture.save(file.with_name(f"{file.stem}_side_by_side.png"))
    row = _COLUMNS(
        photo.name,
        f"{x.shape[1]}x{x.shape[0]}",
        coded.num_bytes,
        f"{coded.bpp:.3f}",
        psnr,
        f"{metrics.ms_ssim(x, x_hat):.4f}",
        f"{coded.seconds:.2f}",
        f"{decoded.seconds:.2f}",
    )
    return "\n    ".join([row, *coded.notes])


def _side_by_side(
    x: np.ndarray, x_hat: np.ndarray, labels: tuple[str, str]
) -> Image.Image:
    """Draws two uint8 images `(h, w, 3)` beside each other, labelled above."""
    gap, top, least_width = 8, 28, 240  # In pixels; labels need some width.
    columns = [_panels(Image.fromarray(pixels)) for pixels in (x, x_hat)]
    width, height = columns[0][0].size
    stride = (max(width, least_width) + gap, height + gap)
    size = (gap + 2 * stride[0], top + len(columns[0]) * stride[1])
    picture = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(picture)
    for column, (panels, label) in enumerate(zip(columns, labels)):
        left = gap + column * stride[0]
        draw.text((left, 6), label, "black", ImageFont.load_default(14))
        for row, panel in enumerate(panels):
            picture.paste(panel, (left, top + row * stride[1]))
    return picture


def _panels(image: Image.Image) -> list[Image.Image]:
    """Returns the image, or if it is large the image reduced and its centre."""
    if max(image.size) <= _PANEL:
        return [image]
    reduced = image.copy()
    reduced.thumbnail((_PANEL, _PANEL))
    width, height = reduced.size
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return [reduced, image.crop((left, top, left + width, top + height))]


def main(argv: list[str]) -> int:
    from tf_imgcomp.errors import ImgcompError

    try:
        codec = _load_codec()
    except ImgcompError as error:
        print(f"bin/quickstart: {error}", file=sys.stderr)
        return 1
    heading = ("photo", "pixels", "bytes", "bpp", "PSNR dB", "MS-SSIM")
    print(_COLUMNS(*heading, "encode s", "decode s"))
    exit_code = 0
    for photo in map(Path, argv[1:] or [_EXAMPLE]):
        try:
            print(_show(codec, photo))
        except (ImgcompError, OSError) as error:
            print(f"bin/quickstart: {photo}: {error}", file=sys.stderr)
            exit_code = 1
    print(f"Files and side-by-side pictures are in {_OUTPUT}/")
    return exit_code


if __name__ == "__main__":
    app.run(main)
