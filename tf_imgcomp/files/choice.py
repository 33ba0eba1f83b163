"""Chooses among codecs for an image that does not look like a photo.

For screenshots, drawings and scans of text, a learned codec needs up to ten times the
bits of AVIF 4:4:4 or lossless WebP. A quick look decides whether these two are tried at
all, so that photos lose no time. At a quality the smallest Lagrangian wins, at a size
the highest PSNR, at a PSNR the smallest file.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tf_imgcomp import metrics, size_limits
from tf_imgcomp.errors import ImgcompError
from tf_imgcomp.files import goals
from tf_imgcomp.files.drawn import looks_drawn
from tf_imgcomp.files.encoding import Encoded, PhotoEncoder
from tf_imgcomp.files.goals import Goal
from tf_imgcomp.files.rate_search import cached_by_setting
from tf_imgcomp.image_codecs import models
from tf_imgcomp.image_codecs.classical import CLASSICAL_CODECS
from tf_imgcomp.image_codecs.interface import ImageCodec
from tf_imgcomp.image_files.images import Photo

AUTO = "auto"  # In place of a model's id: the default model, and the choice.


@dataclass(frozen=True)
class ChoiceConfig:
    """How the codec is chosen.

    Attributes:
        others: names of the codecs that are tried for what looks drawn.
        lmbda_min: float. Distortion weight of quality 1 in bits + lmbda * squared
            error: that of `fdram`.
        lmbda_max: float. Distortion weight of quality 100.
        start: float. The search for the best quality of another codec begins at this
            share of the quality. For AVIF on screenshots, this share was also the best.
        steps: of this search, in qualities.
        promising: float. The search ends at once if the first trial costs more than
            this share of the default codec's file.
    """

    others: tuple[str, ...] = ("avif444", "webp_lossless")
    lmbda_min: float = 0.0003
    lmbda_max: float = 0.6
    start: float = 0.7
    steps: tuple[float, ...] = (8, 4)
    promising: float = 0.85


CHOICE = ChoiceConfig()


def load(
    model: str, load_one: Callable[[str], ImageCodec]
) -> tuple[ImageCodec, list[ImageCodec]]:
    """Loads the codec that a user names, and others to try.

    Args:
        model: `AUTO`, or what `load_one` takes.
        load_one: loads one codec.

    Returns:
        The codec, and the other codecs of `encode_cheapest`. Those whose library is
        missing are left out.

    Raises:
        ModelError: As from `load_one`.
    """
    if model != AUTO:
        return load_one(model), []
    there = [name for name in CHOICE.others if not CLASSICAL_CODECS[name].available()]
    return load_one(models.DEFAULT), [models.load_classical(name) for name in there]


def encode_cheapest(
    codec: ImageCodec,
    others: Sequence[ImageCodec],
    photo: Photo,
    goal: Goal,
) -> tuple[Encoded, tuple[str, ...]]:
    """Encodes a photo to a goal, with other codecs if they suit it better.

    Args:
        codec: encodes photos.
        others: tried for what does not look like a photo.
        photo: the photo.
        goal: that of `goals.encode`. A quality is that of `codec` and sets `lmbda`. For
            each other codec, the quality with the smallest cost at this `lmbda` is
            searched.

    Returns:
        The file, and a note for the user that compares the codecs if there are several.

    Raises:
        ImgcompError: If no codec reaches the goal.
    """
    if not others or not looks_drawn(photo.pixels):
        return goals.encode(codec, photo, goal), ()
    if goal.quality is not None:
        found = _tried(codec, others, photo, goal.quality)
    else:
        found = _reaching(codec, others, photo, goal)
    chosen, *left = map(_described, found)
    note = f"no photo: {chosen}" + (f"; not {', '.join(left)}" if left else "")
    return found[0], (note,)


def _tried(
    codec: ImageCodec,
    others: Iterable[ImageCodec],
    photo: Photo,
    quality: float,
) -> list[Encoded]:
    """The files of the codecs that suit a photo, the cheapest first.

    Raises:
        ImgcompError: If the first codec fails; another that does is left out.
    """
    encoder = PhotoEncoder(photo)
    cost = functools.partial(lagrangian, quality=quality)
    found = [encoder.measured(codec, quality)[1]]
    limit = CHOICE.promising * cost(found[0])
    for each in others:
        try:
            _check_memory(each, photo)
            encoded = _cheapest_quality(encoder, each, quality, limit)
        except ImgcompError:
            continue
        if encoded is not None:
            found.append(encoded)
    return sorted(found, key=cost)


def _cheapest_quality(
    encoder: PhotoEncoder,
    codec: ImageCodec,
    quality: float,
    limit: float,
) -> Encoded | None:
    """The file with the smallest Lagrangian at a quality of the default codec.

    None if the first trial costs more than `limit`.
    """
    fast = codec.faster()

    def measure(tried: float) -> tuple[float, Encoded]:
        _, encoded = encoder.measured(fast, tried)
        return lagrangian(encoded, quality), encoded

    trial = cached_by_setting(codec, measure)
    best = max(1, CHOICE.start * quality)
    if trial(best)[0] > limit:
        return None
    for step in CHOICE.steps:
        while True:
            near = [min(max(best + move, 1), 100) for move in (-step, step)]
            nearest = min(near, key=lambda each: trial(each)[0])
            if trial(nearest)[0] >= trial(best)[0]:
                break
            best = nearest
    return trial(best)[1] if fast is codec else encoder.measured(codec, best)[1]


def _reaching(
    codec: ImageCodec, others: Iterable[ImageCodec], photo: Photo, goal: Goal
) -> list[Encoded]:
    """The files of all codecs that reach a size or a PSNR, the best first."""
    found: list[Encoded] = []
    errors: list[ImgcompError] = []
    for each in (codec, *others):
        try:
            _check_memory(each, photo)
            found.append(_reach(each, photo, goal))
        except ImgcompError as error:
            errors.append(error)
    if not found:
        raise errors[0]
    if goal.target_psnr is not None:
        return sorted(found, key=lambda encoded: len(encoded.data))
    return sorted(found, key=lambda encoded: encoded.psnr or 0, reverse=True)


def _reach(codec: ImageCodec, photo: Photo, goal: Goal) -> Encoded:
    """The file of a codec that reaches a goal, searched for by its faster encoder."""
    fast = codec.faster()
    found = _measured(fast, photo, goals.encode(fast, photo, goal))
    if fast is codec:
        return found
    psnr, better = PhotoEncoder(photo).measured(codec, found.file.quality)
    assert found.psnr is not None
    reaches = len(better.data) <= len(found.data) and psnr >= found.psnr
    return better if reaches else found


def _check_memory(codec: ImageCodec, photo: Photo) -> None:
    height, width, _ = photo.pixels.shape
    size_limits.check_memory(height, width, codec.memory_to_compress(height, width))


def _measured(codec: ImageCodec, photo: Photo, encoded: Encoded) -> Encoded:
    if encoded.psnr is not None:
        return encoded
    decoded = codec.from_file(encoded.file)
    return encoded._replace(psnr=metrics.psnr(photo.pixels, decoded))


def lagrangian(encoded: Encoded, quality: float) -> float:
    """The bits of a file plus the squared error by the distortion weight of a quality.

    Args:
        encoded: with its PSNR.
        quality: of the default codec, in [1, 100].
    """
    assert encoded.psnr is not None
    ratio = CHOICE.lmbda_max / CHOICE.lmbda_min
    lmbda = CHOICE.lmbda_min * ratio ** ((quality - 1) / 99)
    mse = 255**2 / 10 ** (encoded.psnr / 10)
    pixels = encoded.file.height * encoded.file.width
    return 8 * len(encoded.data) + lmbda * pixels * mse


def _described(encoded: Encoded) -> str:
    quality = "lossless" if encoded.psnr == math.inf else f"{encoded.psnr:.2f} dB"
    return f"{encoded.file.codec} ({len(encoded.data)} bytes, {quality})"
