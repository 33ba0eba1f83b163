"""Reads the mean points of curves from tables.

    kodak/*.csv   a row for every mean point: codec,setting,bpp,psnr,ms_ssim and more

The means.csv of bin/evaluate is such a table of points. Unknown values are empty.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path

from tf_imgcomp import metrics
from tf_imgcomp.evaluation.curves import MeanPoint

_POINT_COLUMNS = ("codec", "setting", "bpp", "psnr", "ms_ssim")


def read_means(folder: Path) -> list[MeanPoint]:
    """Returns the mean points of all tables in a folder, in the order of file names.

    An unknown number is NaN; an unknown number of images is 0.

    Raises:
        ValueError: If a column is missing, a value is not a number, a rate is not
            positive, or two tables have points of one codec.
    """
    means: list[MeanPoint] = []
    paths: dict[str, Path] = {}
    for path in sorted(Path(folder).glob("*.csv")):
        for row in read_rows(path, _POINT_COLUMNS):
            point = _mean_point(path, row)
            if paths.setdefault(point.codec, path) != path:
                raise ValueError(
                    f"{path}: Expected no points of {point.codec!r}, which has some in "
                    f"{paths[point.codec].name}."
                )
            means.append(point)
    return means


def _mean_point(path: Path, row: dict[str, str]) -> MeanPoint:
    def number(column: str) -> float:
        text = row.get(column) or "nan"
        try:
            return float(text)
        except ValueError:
            raise ValueError(
                f"{path}: Expected a number in column {column!r}, received {text!r}."
            ) from None

    rate, similarity = number("bpp"), number("ms_ssim")
    if not 0 < rate < math.inf:
        raise ValueError(
            f"{path}: Expected a rate > 0 in column 'bpp', received {row['bpp']!r}."
        )
    return MeanPoint(
        codec=row["codec"],
        setting=number("setting"),
        num_images=int(row.get("num_images") or 0),
        bpp=rate,
        psnr=number("psnr"),
        ms_ssim=similarity,
        # Also where a table has a column of it, so that all are the same function.
        ms_ssim_db=(
            similarity if math.isnan(similarity) else metrics.ms_ssim_db(similarity)
        ),
        ssimulacra2=number("ssimulacra2"),
        encode_seconds=number("encode_seconds"),
        decode_seconds=number("decode_seconds"),
    )


def read_rows(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """Returns the rows of a table as dicts.

    Raises:
        ValueError: If one of `columns` is missing.
    """
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        names = reader.fieldnames or []
        for column in columns:
            if column not in names:
                raise ValueError(
                    f"{path}: Expected a column {column!r}, "
                    f"received {', '.join(names)}."
                )
        return list(reader)
