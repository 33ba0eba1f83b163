"""Encodes a photo to a goal: a quality, a size or a PSNR."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

from tf_imgcomp import metrics
from tf_imgcomp.errors import ImgcompError
from tf_imgcomp.files.encoding import Encoded, PhotoEncoder
from tf_imgcomp.files.rate_search import Trial, bracket, cached_by_setting
from tf_imgcomp.image_codecs.interface import ImageCodec
from tf_imgcomp.image_files.images import Photo

DEFAULT_QUALITY = 50.0


@dataclass(frozen=True)
class Goal:
    """The goal of a file; one of the four is set, the others are None.

    Attributes:
        quality: float in [1, 100].
        target_bpp: float, largest size in bits per pixel.
        target_psnr: float, smallest PSNR of the decoded image in dB.
        max_bytes: int, largest size in bytes.
    """

    quality: float | None = None
    target_bpp: float | None = None
    target_psnr: float | None = None
    max_bytes: int | None = None


def goal_of(
    quality: float | None = None,
    target_bpp: float | None = None,
    target_psnr: float | None = None,
    max_bytes: int | None = None,
) -> Goal:
    """The goal that one of these sets; without any, the default quality.

    Raises:
        ValueError: If there are several, or one is outside of its range.
    """
    goal = Goal(quality, target_bpp, target_psnr, max_bytes)
    given = {k: v for k, v in dataclasses.asdict(goal).items() if v is not None}
    if len(given) > 1:
        raise ValueError(f"Expected one goal, received {' and '.join(given)}.")
    if quality is not None and not 1 <= quality <= 100:
        raise ValueError(f"Expected a quality from 1 to 100, received {quality}.")
    for name, value in given.items():
        if not 0 <= value < math.inf:
            raise ValueError(f"Expected {name} from 0 on, received {value}.")
    return goal if given else Goal(quality=DEFAULT_QUALITY)


def encode(codec: ImageCodec, photo: Photo, goal: Goal) -> Encoded:
    """Returns a file that meets `goal`, with its PSNR if that is the goal.

    Raises:
        ImgcompError: If the goal is out of reach.
    """
    encoder = PhotoEncoder(photo)
    if goal.quality is not None:
        return encoder(codec, goal.quality)
    if goal.target_psnr is not None:
        return _reach_psnr(codec, encoder, goal.target_psnr)
    if goal.max_bytes is not None:
        return _stay_below(codec, encoder, goal.max_bytes)
    if goal.target_bpp is not None:
        height, width, _ = photo.pixels.shape
        limit = math.floor(goal.target_bpp * height * width / 8)
        return _stay_below(codec, encoder, limit)
    raise ValueError("Expected a goal with a value, received none.")


def _stay_below(codec: ImageCodec, encoder: PhotoEncoder, limit: int) -> Encoded:
    """Takes the best quality that needs at most `limit` bytes."""
    trial_codec = codec.for_trials()

    def measure(tried: ImageCodec, quality: float) -> tuple[float, Encoded]:
        encoded = encoder(tried, quality)
        return math.log(len(encoded.data)), encoded

    target = math.log(max(limit, 1))
    trial = cached_by_setting(codec, functools.partial(measure, trial_codec))
    best, above = bracket(trial, target)
    if best is None:
        assert above is not None
        file, smallest = above.result.file, len(above.result.data)
        raise ImgcompError(
            f"does not fit into {limit} bytes: quality 1 takes {smallest} "
            f"({metrics.bpp(smallest, file.height, file.width):.4f} bpp)"
        )
    if codec.without_refinement() is not codec:
        return _refined(
            best,
            functools.partial(measure, codec),
            lambda gain: bracket(trial, target + gain)[0],
            lambda value: value <= target,
        )
    if trial_codec is codec:
        return best.result
    return encoder(codec, best.quality)


def _reach_psnr(codec: ImageCodec, encoder: PhotoEncoder, target: float) -> Encoded:
    """Takes the lowest quality whose decoded image has at least `target` dB."""
    trial_codec = codec.without_refinement()
    trial = cached_by_setting(codec, functools.partial(encoder.measured, trial_codec))
    just_below = math.nextafter(target, -math.inf)
    below, best = bracket(trial, just_below)
    if best is None:
        assert below is not None
        raise ImgcompError(
            f"does not reach {target:g} dB: quality 100 has {below.value:.2f} dB"
        )
    if trial_codec is codec:
        return best.result
    return _refined(
        best,
        functools.partial(encoder.measured, codec),
        lambda gain: bracket(trial, just_below + gain)[1],
        lambda value: value >= target,
    )


def _refined(
    found: Trial,
    measure: Callable[[float], tuple[float, Encoded]],
    search: Callable[[float], Trial | None],
    meets_goal: Callable[[float], bool],
) -> Encoded:
    """Refines the file that a search without refinement found.

    Refinement changes size and PSNR by about the same at all qualities. So a second
    search, for a goal moved by this gain, finds a better quality, which is refined too.

    Args:
        found: of the search, a file that meets the goal.
        measure: the refined file of a quality, after its value as in `Trial`.
        search: function of the gain that repeats the search.
        meets_goal: whether a value does.

    Returns:
        The second refined file if it meets the goal, else the first one if it does,
        else the one found.
    """
    value, encoded = measure(found.quality)
    best = encoded if meets_goal(value) else found.result
    moved = search(found.value - value)
    if moved is None or moved.quality == found.quality:
        return best
    value, encoded = measure(moved.quality)
    return encoded if meets_goal(value) else best
