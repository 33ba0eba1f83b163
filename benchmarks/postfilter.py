"""Gains of filters after real codecs on a set of images, as table 1 of Xue and Su 2019.

    python benchmarks/postfilter.py [--filters=bpg+xue2019,...] [--bpp=0.15] \
        [--csv=docs/results/postfilter/kodak.csv] IMAGES...

For each model, at most `--bpp` bits per pixel of all images together:

    bpg                       one QP for all images, or two that are neighbours
    bpg+xue2019               the same streams, filtered where that helps
    bpg+xue2019, rotations    by the mean over four rotations where that helps more
    bpg, chosen QPs           a QP for each image that makes the mean PSNR highest
    bpg+xue2019, chosen QPs   these streams, filtered where that helps

Prints a Markdown table: means over the images, the filter's smallest gain for an image,
and seconds per megapixel, medians over the images. Rates are those of the codec's own
files, plus one byte for the filter. With --csv, the table is also written as CSV.
Measurements are kept in --cache, one file for each image and QP.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # No start-up noise.

import csv
import dataclasses
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from absl import app, flags
from tqdm import tqdm

from tf_imgcomp import metrics
from tf_imgcomp.classical import CODECS
from tf_imgcomp.evaluation.points import Cache
from tf_imgcomp.evaluation.report import table
from tf_imgcomp.files import budget
from tf_imgcomp.image_codecs import models
from tf_imgcomp.image_codecs.classical import ClassicalImageCodec
from tf_imgcomp.image_codecs.filtered import FilteredCodec
from tf_imgcomp.image_files.images import input_suffixes, read_image
from tf_imgcomp_bin.command_line.paths import expand_inputs

_FILTERS = flags.DEFINE_list(
    "filters", ["bpg+xue2019", "vvc_fast+xue2019"], "Filtered classical codecs."
)
_BPP = flags.DEFINE_float("bpp", 0.15, "Bits per pixel of all images together.")
_CSV = flags.DEFINE_string("csv", None, "File for the table as CSV.")
_CACHE = flags.DEFINE_string(
    "cache", "evaluation_out/.cache", "Folder for measurements."
)

COLUMNS = ("codec", "bpp", "PSNR, dB", "MS-SSIM", "smallest gain, dB", "s/Mpixel")


class Result(NamedTuple):
    """Results of one image.

    Attributes:
        num_bytes: size of its file.
        psnr, ms_ssim: quality of its decoded pixels.
        seconds: time of decoding, filters included.
    """

    num_bytes: int
    psnr: float
    ms_ssim: float
    seconds: float


class Measured:
    """A classical codec on images, each file made once.

    Args:
        name: key of `CODECS`.
        photos: dict of names to pixels.
        cache: cache of the points.
    """

    def __init__(self, name: str, photos: dict, cache: Cache):
        self._codec, self._classical = CODECS[name], ClassicalImageCodec(name)
        self.qps, self._cache = self._codec.all_settings, cache
        self._photos = list(photos.items())

    def point(self, number: int, qp: int):
        """`evaluation.points.Point` of an image."""
        return self._cache.measure(self._codec, qp, *self._photos[number])

    def chosen(self, limit: int) -> list[int]:
        """A QP for each image, within `limit` bytes together, by slopes."""

        def measure(number: int, quality: float) -> budget.Point:
            point = self.point(number, self._classical.setting(quality))
            return budget.Point(quality, point.num_bytes, point.psnr)

        found = budget.search(measure, len(self._photos), limit, tqdm)
        return [self._classical.setting(point.quality) for point in found]

    def uniform(self, limit: int) -> list[int]:
        """The lowest QP within `limit` bytes, and one less for the first that fit."""
        count = len(self._photos)
        low, high = 0, len(self.qps)
        while high - low > 1:
            middle = (low + high) // 2
            fits = self._size([self.qps[middle]] * count) <= limit
            low, high = (middle, high) if fits else (low, middle)
        qps = [self.qps[low]] * count
        for number in range(count):
            finer = [*qps[:number], qps[number] - 1, *qps[number + 1 :]]
            if qps[number] > self.qps[-1] and self._size(finer) <= limit:
                qps = finer
        return qps

    def _size(self, qps: Sequence[int]) -> int:
        return sum(self.point(n, qp).num_bytes for n, qp in enumerate(qps))

    def results(self, qps: Sequence[int]) -> list[Result]:
        points = [self.point(number, qp) for number, qp in enumerate(qps)]
        return [
            Result(p.num_bytes, p.psnr, p.ms_ssim, p.decode_seconds) for p in points
        ]


def filtered(
    codec: FilteredCodec, base: ClassicalImageCodec, ensemble: str, photos, qps
) -> tuple[list[Result], list[float]]:
    """Results of a codec with its filter, and seconds of decoding without it."""
    codec, results, base_seconds = codec.with_ensemble(ensemble), [], []
    for pixels, qp in zip(tqdm(photos), qps):
        coded = codec.compress(pixels, base.quality(qp))
        size = pixels.shape[:2]
        start = time.perf_counter()
        base.decompress(dataclasses.replace(coded, variant=0), *size)
        middle = time.perf_counter()
        decoded = codec.decompress(coded, *size)
        base_seconds.append(middle - start)
        seconds = time.perf_counter() - middle
        num_bytes = sum(map(len, coded.first))
        scores = metrics.psnr(pixels, decoded), metrics.ms_ssim(pixels, decoded)
        results.append(Result(num_bytes, *scores, seconds))
    return results, base_seconds


def row(title: str, results: Sequence[Result], plain: Sequence[Result], areas) -> list:
    """Cells of a row; gains are over `plain`, which is `results` without a filter."""
    sizes, psnr, ms_ssim, seconds = map(np.array, zip(*results))
    gains = psnr - [result.psnr for result in plain]
    return [
        title,
        f"{8 * sizes.sum() / areas.sum():.4f}",
        f"{psnr.mean():.3f}",
        f"{ms_ssim.mean():.5f}",
        "-" if results is plain else f"{gains.min():+.3f}",
        f"{np.median(seconds / areas) * 1e6:.2f}",
    ]


def rows(model: str, photos: dict, measure: Callable) -> list[list]:
    """The table's rows of one model."""
    codec = models.load(model)
    base = ClassicalImageCodec(model.partition("+")[0])
    pixels = list(photos.values())
    areas = np.array([image.shape[0] * image.shape[1] for image in pixels])
    limit = int(_BPP.value * areas.sum() / 8)
    measured = measure(base.id)

    def same_streams(suffix: str, qps: Sequence[int], *ensembles: str) -> list[list]:
        plain, others = measured.results(qps), []
        for ensemble in ensembles:
            results, seconds = filtered(codec, base, ensemble, pixels, qps)
            with_ensemble = "" if ensemble == "none" else f", {ensemble}"
            others.append((f"{model}{with_ensemble}{suffix}", results))
        plain = [p._replace(seconds=s) for p, s in zip(plain, seconds)]
        titled = [(f"{base.id}{suffix}", plain), *others]
        return [row(title, results, plain, areas) for title, results in titled]

    return [
        *same_streams("", measured.uniform(limit), "none", "rotations"),
        *same_streams(", chosen QPs", measured.chosen(limit), "none"),
    ]


def main(argv: Sequence[str]) -> None:
    paths = expand_inputs(argv[1:], input_suffixes())
    photos = {path.name: read_image(path).pixels for path in paths}
    cache = Cache(Path(_CACHE.value))

    def measure(name):
        return Measured(name, photos, cache)

    print(f"{len(photos)} images, at most {_BPP.value:g} bpp together\n")
    cells = [cell for model in _FILTERS.value for cell in rows(model, photos, measure)]
    print(table(COLUMNS, cells))
    if _CSV.value:
        with open(_CSV.value, "w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([COLUMNS, *cells])


if __name__ == "__main__":
    app.run(main)
