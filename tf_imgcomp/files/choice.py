"""Chooses among codecs for an image that does not look like a photo.

Screenshots and drawings take a learned codec several times the bits of AVIF 4:4:4 or
lossless WebP. A quick look decides whether these are tried at all, so that photos lose
no time. The codec with the smallest Lagrangian at the quality wins.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from tf_imgcomp import metrics
from tf_imgcomp.data.images import Photo
from tf_imgcomp.errors import ImgcompError
from tf_imgcomp.files import goals
from tf_imgcomp.files.encoding import Encoded, PhotoEncoder
from tf_imgcomp.files.goals import Goal
from tf_imgcomp.image_codecs.interface import ImageCodec

# Rate weights of qualities 1 and 100 in bits + lmbda * squared error: those of `fdram`.
_LMBDA_MIN, _LMBDA_MAX = 0.0003, 0.18
# Share of pixels equal to those at the left and above. Of 644 photos, most of them
# decoded from lossy WebP, 97 % have less (Kodak: all). All of 78 pictures of text,
# plots, interfaces and pixel art have more.
_FLAT = 0.5
_EVERY = 8  # One row in so many is looked at.
# The search for the best quality of another codec begins at this share of the quality,
# where it ended for AVIF on screenshots, and has these steps.
_START, _STEPS = 0.7, (8, 4)


def looks_drawn(pixels: np.ndarray) -> bool:
    """Whether an image is probably no photo.

    Args:
        pixels: uint8 `(h, w, 3)`.
    """
    rows, above = pixels[1::_EVERY], pixels[:-1:_EVERY]
    if not rows[:, 1:].size:
        return False
    alike = (rows[:, 1:] == rows[:, :-1]) & (rows[:, 1:] == above[:, 1:])
    return bool(alike.all(-1).mean() >= _FLAT)


def encode_cheapest(
    codec: ImageCodec, others: Sequence[ImageCodec], photo: Photo, goal: Goal
) -> tuple[Encoded, tuple[str, ...]]:
    """Encodes a photo to a goal, with other codecs if they suit it better.

    Args:
        codec: encodes photos.
        others: tried for what does not look like a photo.
        photo: the photo.
        goal: that of `goals.encode`. A quality is the codec's; it stands for a rate
            weight, for which the best quality of each of the others is found.

    Returns:
        The file, and a note for the user that compares the codecs if there are several.

    Raises:
        ImgcompError: If no codec reaches the goal.
    """
    if not others or not looks_drawn(photo.pixels):
        return goals.encode(codec, photo, goal), ()
    encoder = PhotoEncoder(photo)
    quality = goal.quality

    def encode(each: ImageCodec) -> Encoded:
        if quality is not None and each is not codec:
            return _cheapest_quality(encoder, each, quality)
        return _measured(each, photo, goals.encode(each, photo, goal))

    found, errors = _tried(encode, (codec, *others))
    if not found:
        raise errors[0]
    weight = found[0].file.quality if quality is None else quality
    found.sort(key=functools.partial(_cost, quality=weight))
    chosen, *left = map(_described, found)
    note = f"no photo: {chosen}" + (f"; not {', '.join(left)}" if left else "")
    return found[0], (note,)


def _tried(
    encode: Callable[[ImageCodec], Encoded], codecs: Iterable[ImageCodec]
) -> tuple[list[Encoded], list[ImgcompError]]:
    """The files of all codecs that can make one, and the errors of the others."""
    found, errors = [], []
    for codec in codecs:
        try:
            found.append(encode(codec))
        except ImgcompError as error:
            errors.append(error)
    return found, errors


def _cheapest_quality(
    encoder: PhotoEncoder, codec: ImageCodec, quality: float
) -> Encoded:
    """The file with the smallest Lagrangian at a quality of the default codec."""

    def measure(tried: float) -> tuple[float, Encoded]:
        _, encoded = encoder.measured(codec, tried)
        return _cost(encoded, quality), encoded

    trial = goals.cached_by_setting(codec, measure)
    best = max(1, _START * quality)
    for step in _STEPS:
        while True:
            near = [min(max(best + move, 1), 100) for move in (-step, step)]
            nearest = min(near, key=lambda each: trial(each)[0])
            if trial(nearest)[0] >= trial(best)[0]:
                break
            best = nearest
    return trial(best)[1]


def _measured(codec: ImageCodec, photo: Photo, encoded: Encoded) -> Encoded:
    if encoded.psnr is not None:
        return encoded
    decoded = codec.from_file(encoded.file)
    return encoded._replace(psnr=metrics.psnr(photo.pixels, decoded))


def _cost(encoded: Encoded, quality: float) -> float:
    """Bits, and the rate weight of a quality times the squared error."""
    assert encoded.psnr is not None
    lmbda = _LMBDA_MIN * (_LMBDA_MAX / _LMBDA_MIN) ** ((quality - 1) / 99)
    mse = 255**2 / 10 ** (encoded.psnr / 10)
    pixels = encoded.file.height * encoded.file.width
    return 8 * len(encoded.data) + lmbda * pixels * mse


def _described(encoded: Encoded) -> str:
    quality = "lossless" if encoded.psnr == math.inf else f"{encoded.psnr:.2f} dB"
    return f"{encoded.file.codec} ({len(encoded.data)} bytes, {quality})"
