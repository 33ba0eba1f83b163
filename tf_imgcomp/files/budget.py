"""Shares out bytes among images for the highest mean PSNR.

Each image has a curve of PSNR over bytes. At the optimum all curves have the same
slope: moving a byte to another image gains nothing (Shoham and Gersho, "Efficient Bit
Allocation for an Arbitrary Set of Quantizers", IEEE Trans. ASSP 1988).
"""

from __future__ import annotations

import contextlib
import functools
import heapq
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from tf_imgcomp.errors import ImgcompError
from tf_imgcomp.files.encoding import PhotoEncoder
from tf_imgcomp.files.rate_search import cached_by_setting
from tf_imgcomp.image_codecs.interface import ImageCodec
from tf_imgcomp.image_files import images
from tf_imgcomp.size_limits import MAX_PIXELS

_PSNR_MAX = 100.0  # dB. A perfect image has an infinite PSNR, and no slope.
_LEAST, _MOST = 1.0, 100.0  # Qualities.
_START = (_LEAST, 25.0, 50.0, 75.0, _MOST)
_ROUNDS = 5  # Each halves the distance to the next known quality; the last is 0.8.


class Point(NamedTuple):
    """Size and PSNR of one image at one quality.

    Attributes:
        quality: float in [1, 100].
        num_bytes: int, size of the file.
        psnr: float, in dB.
    """

    quality: float
    num_bytes: int
    psnr: float


def share_out_bits(
    codec: ImageCodec,
    sources: Sequence[Path],
    bpp: float,
    *,
    strip: bool = False,
    max_pixels: int = MAX_PIXELS,
    progress: Callable[[Iterable], Iterable] = iter,
) -> dict[Path, float]:
    """Finds a quality for each image that together give the highest mean PSNR.

    The search does not refine latents; refined files are smaller than it assumes.

    Args:
        codec: A loaded codec.
        sources: Images. Those that cannot be read get no quality.
        bpp: Size of all files together, in bits per pixel of all images.
        strip: Whether all metadata will be left out.
        max_pixels: As in `compress_file`.
        progress: Wraps the images of each round while they are coded.

    Returns:
        Qualities of the images that can be read.

    Raises:
        ImgcompError: If the smallest files are larger.
    """
    codec = codec.without_refinement()

    # A round tries all qualities of an image before the next image.
    @functools.lru_cache(maxsize=1)
    def encoder(source: Path) -> PhotoEncoder:
        photo = images.read_image(source, codec.memory_to_compress, max_pixels)
        return PhotoEncoder(photo.without_metadata() if strip else photo)

    def measure(source: Path, quality: float) -> Point:
        psnr, encoded = encoder(source).measured(codec, quality)
        size = len(encoded.data)
        return Point(encoded.file.quality, size, min(psnr, _PSNR_MAX))

    pixels = {}
    for source in sources:
        with contextlib.suppress(ImgcompError, OSError):
            pixels[source] = encoder(source).photo.pixels.size // 3
    trials = [
        cached_by_setting(codec, functools.partial(measure, source))
        for source in pixels
    ]
    points = search(
        lambda number, quality: trials[number](quality),
        len(trials),
        int(bpp * sum(pixels.values()) / 8),
        progress,
    )
    return {source: point.quality for source, point in zip(pixels, points)}


def search(
    measure: Callable[[int, float], Point],
    count: int,
    budget: int,
    progress: Callable[[Iterable], Iterable] = iter,
) -> list[Point]:
    """Finds a quality for each image, all files together within `budget` bytes.

    Args:
        measure: Function of an image's number and a quality. The point it returns may
            have another quality, close to it. Called at most 15 times for each image.
        count: Number of images.
        budget: Largest size of all files together, in bytes.
        progress: Wraps the images of each round while they are measured.

    Returns:
        One measured point for each image.

    Raises:
        ImgcompError: If the smallest files do not fit.
    """
    curves: list[dict[float, Point]] = [{} for _ in range(count)]

    def try_out(wanted: Sequence[Sequence[float]]) -> None:
        for number in progress(range(count)):
            for quality in wanted[number]:
                if quality not in curves[number]:
                    curves[number][quality] = measure(number, quality)

    for quality in _START:
        try_out([[quality]] * count)
        if sum(curve[quality].num_bytes for curve in curves) > budget:
            break  # Larger files would not be chosen, and take longest.
    for _ in range(_ROUNDS):
        chosen = share_out([list(curve.values()) for curve in curves], budget)
        try_out([_between(sorted(c), p.quality) for c, p in zip(curves, chosen)])
    return share_out([list(curve.values()) for curve in curves], budget)


def _between(known: Sequence[float], quality: float) -> list[float]:
    """The midpoints between a quality and its measured neighbours."""
    below = max((q for q in known if q < quality), default=_LEAST)
    above = min((q for q in known if q > quality), default=_MOST)
    return [round((quality + near) / 2, 2) for near in (below, above)]


def share_out(curves: Sequence[Sequence[Point]], budget: int) -> list[Point]:
    """Chooses a point of each curve, all together within `budget` bytes.

    Starts with the smallest files and repeats the step with the largest gain per byte.
    A step goes to the next corner of a curve's convex hull. The remaining bytes go to
    the best points that still fit, corners or not.

    Raises:
        ImgcompError: If the smallest files do not fit.
    """
    hulls = [_hull(curve) for curve in curves]
    chosen = [hull[0] for hull in hulls]
    left = budget - sum(point.num_bytes for point in chosen)
    if left < 0:
        raise ImgcompError(
            f"the images take {budget - left} bytes at quality 1: they do not fit into "
            f"{budget} bytes together"
        )
    steps = [(-_slope(*hull[:2]), n, 1) for n, hull in enumerate(hulls) if hull[1:]]
    heapq.heapify(steps)
    while steps:
        _, number, corner = heapq.heappop(steps)
        hull = hulls[number]
        cost = hull[corner].num_bytes - hull[corner - 1].num_bytes
        if cost <= left:
            chosen[number], left = hull[corner], left - cost
            if corner + 1 < len(hull):
                slope = _slope(hull[corner], hull[corner + 1])
                heapq.heappush(steps, (-slope, number, corner + 1))
    return _fill(curves, chosen, left)


def _hull(curve: Sequence[Point]) -> list[Point]:
    """Corners of the upper convex hull, from the smallest file to the best one."""
    hull: list[Point] = []
    for point in sorted(curve, key=lambda point: (point.num_bytes, -point.psnr)):
        if hull and point.psnr <= hull[-1].psnr:
            continue
        while hull[1:] and _slope(hull[-1], point) >= _slope(*hull[-2:]):
            hull.pop()
        hull.append(point)
    return hull


def _slope(low: Point, high: Point) -> float:
    """Slope in dB per byte."""
    return (high.psnr - low.psnr) / (high.num_bytes - low.num_bytes)


def _fill(
    curves: Sequence[Sequence[Point]], chosen: list[Point], left: int
) -> list[Point]:
    """Spends the remaining bytes on the points with the largest gain."""
    while True:
        better = [
            (point.psnr - chosen[number].psnr, number, point)
            for number, curve in enumerate(curves)
            for point in curve
            if point.psnr > chosen[number].psnr
            and point.num_bytes - chosen[number].num_bytes <= left
        ]
        if not better:
            return chosen
        _, number, point = max(better)
        left -= point.num_bytes - chosen[number].num_bytes
        chosen[number] = point
