"""Writes results: tables as CSV, JSON and Markdown, and the plot."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from tf_imgcomp.atomic_files import write_atomically
from tf_imgcomp.evaluation.comparison import Comparison
from tf_imgcomp.evaluation.curves import MeanPoint
from tf_imgcomp.evaluation.points import Point


def write(
    folder: Path,
    points: Sequence[Point],
    means: Sequence[MeanPoint],
    comparisons: Sequence[Comparison],
    titles: Mapping[str, str],
) -> None:
    """Writes everything about an evaluation into a folder, made if missing.

    points.csv, means.csv, results.json (both and the comparisons), comparison.md and
    rd.png, the rate-distortion curves.

    Args:
        folder: Where to write; files of these names are replaced.
        points: All points, not empty.
        means: Their means over images.
        comparisons: Comparisons of one codec with others.
        titles: Title of each codec by its name, for the plot.
    """
    write_csv(folder / "points.csv", points)
    write_csv(folder / "means.csv", means)
    tables = {"points": points, "means": means, "comparisons": comparisons}
    write_json(folder / "results.json", tables)
    table_text = comparisons_table(comparisons)
    write_atomically(folder / "comparison.md", table_text.encode(), overwrite=True)
    plot(folder / "rd.png", means, titles)


def write_csv(path: Path, rows: Sequence[Any]) -> None:
    """Writes dataclass instances of one type as a table with a heading."""
    names = [field.name for field in dataclasses.fields(rows[0])]
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(dataclasses.asdict(row) for row in rows)
    # A file's name may be any bytes.
    data = text.getvalue().encode(errors="backslashreplace")
    write_atomically(path, data, overwrite=True)


def write_json(path: Path, tables: Mapping[str, Sequence[Any]]) -> None:
    """Writes named tables of dataclass instances; infinity and NaN become null."""
    write_atomically(path, json_text(tables).encode(), overwrite=True)


def json_text(tables: Mapping[str, Sequence[Any]]) -> str:
    """Returns what `write_json` writes."""
    document = {
        name: [
            {key: _finite(value) for key, value in dataclasses.asdict(row).items()}
            for row in rows
        ]
        for name, rows in tables.items()
    }
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def means_table(means: Sequence[MeanPoint]) -> str:
    """Returns the means over images as a Markdown table.

    The column of SSIMULACRA2 is left out where no point has it.
    """
    has_score = _any_finite(means, "ssimulacra2")
    return table(
        ["codec", "setting", "bpp", "PSNR, dB", "MS-SSIM", "MS-SSIM, dB"]
        + ["SSIMULACRA2"] * has_score
        + ["encode, s", "decode, s"],
        [
            [
                point.codec,
                f"{point.setting:g}",
                f"{point.bpp:.4f}",
                f"{point.psnr:.2f}",
                f"{point.ms_ssim:.4f}",
                f"{point.ms_ssim_db:.2f}",
                *[f"{point.ssimulacra2:.2f}"] * has_score,
                f"{point.encode_seconds:.3f}",
                f"{point.decode_seconds:.3f}",
            ]
            for point in means
        ],
    )


def _any_finite(means: Sequence[MeanPoint], quality: str) -> bool:
    return any(math.isfinite(getattr(point, quality)) for point in means)


def comparisons_table(comparisons: Sequence[Comparison]) -> str:
    """Returns comparisons as a Markdown table."""
    return table(
        ["codec", "against", "BD-rate (PSNR)", "BD-rate (MS-SSIM)"]
        + ["BD-rate (SSIMULACRA2)", "smallest PSNR margin"],
        [
            [
                comparison.codec,
                comparison.anchor,
                _percent(comparison.bd_rate_psnr),
                _percent(comparison.bd_rate_ms_ssim),
                _percent(comparison.bd_rate_ssimulacra2),
                _margin(comparison),
            ]
            for comparison in comparisons
        ],
    )


def _percent(value: float | None) -> str:
    return "no overlap" if value is None else f"{value:+.1f} %"


def _margin(comparison: Comparison) -> str:
    if comparison.margin is None:
        return "no overlap"
    return (
        f"{comparison.margin:+.2f} dB (at {comparison.margin_bpp:.2f} bpp, of "
        f"{comparison.low:.2f} to {comparison.high:.2f})"
    )


def table(heading: list[str], rows: list[list[str]]) -> str:
    """Returns a Markdown table."""
    widths = [max(map(len, column)) for column in zip(heading, *rows)]
    lines = [heading, ["-" * width for width in widths], *rows]
    return "".join(
        "| " + " | ".join(map(str.ljust, line, widths)) + " |\n" for line in lines
    )


def plot(
    path: Path,
    means: Sequence[MeanPoint],
    titles: Mapping[str, str],
    styles: Mapping[str, Mapping[str, Any]] | None = None,
) -> None:
    """Draws the qualities over rate, a line for every codec that has them.

    PSNR and MS-SSIM, and SSIMULACRA2 where a point has it.

    Args:
        path: The picture to write; its ending decides the format.
        means: Mean points of all codecs.
        titles: Title of each codec's line by the codec's name.
        styles: Properties of each codec's line, by the codec's name, where it should
            not look like the others.
    """
    qualities = {"psnr": "PSNR (RGB), dB", "ms_ssim_db": "MS-SSIM, dB"}
    if _any_finite(means, "ssimulacra2"):
        qualities["ssimulacra2"] = "SSIMULACRA2"
    figure = Figure(figsize=(7 * len(qualities), 5), layout="constrained")
    num_images = max(point.num_images for point in means)
    figure.suptitle(f"Mean of {num_images} image{'s' if num_images > 1 else ''}")
    panels = figure.subplots(1, len(qualities))
    lines = {}
    for axes, (quality, label) in zip(panels, qualities.items()):
        for i, (name, title) in enumerate(titles.items()):
            points = sorted(
                (point.bpp, getattr(point, quality))
                for point in means
                if point.codec == name and math.isfinite(getattr(point, quality))
            )
            if points:
                style = {"color": f"C{i}", "marker": "o", "markersize": 3}
                style.update((styles or {}).get(name, {}))
                lines[title], *_ = axes.plot(*zip(*points), **style)
        axes.set(xlabel="bits per pixel", ylabel=label, xlim=(0, None))
        axes.grid(alpha=0.3)
    legend = [title for title in titles.values() if title in lines]
    figure.legend([lines[t] for t in legend], legend, loc="outside right center")
    picture = io.BytesIO()
    figure.savefig(picture, format=path.suffix[1:], dpi=120)
    write_atomically(path, picture.getvalue(), overwrite=True)
