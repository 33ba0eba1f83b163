import csv
import json
import math

import numpy as np
from PIL import Image

from tf_imgcomp.evaluation import report
from tf_imgcomp.evaluation.comparison import Comparison
from tf_imgcomp.evaluation.curves import MeanPoint
from tf_imgcomp.evaluation.points import Point

MEANS = [
    MeanPoint("new", 10, 2, 0.25, 30.123, 0.95, 13.01, -12.34, 0.1, 0.2),
    MeanPoint("new", 90, 2, 1.25, math.inf, 1.0, math.inf, 100.0, 0.1, 0.2),
    MeanPoint("old", 50, 2, 0.5, 31.0, 0.96, 13.98, math.nan, 0.1, 0.2),
]


def test_csv_has_a_heading_and_a_row_each(tmp_path):
    report.write_csv(tmp_path / "means.csv", MEANS)
    with open(tmp_path / "means.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["codec"] for row in rows] == ["new", "new", "old"]
    assert rows[0]["psnr"] == "30.123"
    assert rows[1]["psnr"] == "inf"


def test_names_of_any_bytes_can_be_written(tmp_path):
    point = Point("new", 10, "\udcff.png", 8, 8, 2, 0.25, 30, 1, 13, 1, 0.1, 0.2)
    report.write_csv(tmp_path / "points.csv", [point])
    assert r"\udcff.png" in (tmp_path / "points.csv").read_text(encoding="utf-8")


def test_json_is_strict(tmp_path):
    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    report.write_json(tmp_path / "results.json", {"means": MEANS})
    text = (tmp_path / "results.json").read_text()
    means = json.loads(text, parse_constant=refuse)["means"]
    assert means[0]["bpp"] == 0.25
    assert means[1]["psnr"] is None
    assert means[0]["ssimulacra2"] == -12.34
    assert means[2]["ssimulacra2"] is None


def test_tables_are_markdown():
    first, rule, row, *_ = report.means_table(MEANS).splitlines()
    assert first.startswith("| codec | setting | bpp")
    assert set(rule) == set("|- ")
    assert row.split() == "| new | 10 | 0.2500 | 30.12 | 0.9500 | 13.01 |".split() + (
        "-12.34 | 0.100 | 0.200 |".split()
    )


def test_a_table_without_scores_has_no_column_of_them():
    heading, _, row = report.means_table(MEANS[2:]).splitlines()
    assert "SSIMULACRA2" in report.means_table(MEANS)
    assert "SSIMULACRA2" not in heading
    assert heading.count("|") == row.count("|") == 9


def test_comparison_table_tells_the_margin_or_why_not():
    table = report.comparisons_table(
        [
            Comparison("new", "jpeg", -31.26, 5.0, -7.04, 0.15, 1.0, -0.127, 0.93),
            Comparison("new", "avif", None, None, None, None, None, None, None),
        ]
    )
    assert "-31.3 %" in table
    assert "+5.0 %" in table
    assert "BD-rate (SSIMULACRA2)" in table
    assert "-7.0 %" in table
    assert "-0.13 dB (at 0.93 bpp, of 0.15 to 1.00)" in table
    assert table.count("no overlap") == 4


def test_write_leaves_all_files(tmp_path):
    qualities = 30.123, 0.95, 13.01, math.nan
    point = Point("new", 10, "a.png", 8, 8, 2, 0.25, *qualities, 0.1, 0.2)
    comparison = Comparison("new", "old", None, None, None, None, None, None, None)
    folder = tmp_path / "made" / "here"
    report.write(folder, [point], MEANS, [comparison], {"new": "New", "old": "Old"})
    names = {"points.csv", "means.csv", "results.json", "comparison.md", "rd.png"}
    assert {path.name for path in folder.iterdir()} == names
    results = json.loads((folder / "results.json").read_text())
    assert results["points"][0]["image"] == "a.png"
    assert results["comparisons"][0]["anchor"] == "old"


def test_plot_is_a_picture(tmp_path):
    report.plot(tmp_path / "rd.png", MEANS, {"new": "New", "old": "Old"})
    with Image.open(tmp_path / "rd.png") as picture:
        pixels = np.asarray(picture.convert("RGB"))
    report.plot(tmp_path / "narrow.png", MEANS[2:], {"old": "Old"})  # Without scores.
    with Image.open(tmp_path / "narrow.png") as narrow:
        assert pixels.shape[1] == 1.5 * narrow.width
    assert pixels.shape[1] > pixels.shape[0] > 300
    assert pixels.std() > 5
