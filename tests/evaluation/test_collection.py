import math

import pytest

from tf_imgcomp.evaluation import collection, report
from tf_imgcomp.evaluation.curves import MeanPoint

POINTS = "codec,setting,bpp,psnr,ms_ssim\n"


@pytest.fixture
def read(tmp_path):
    """Returns a function that reads tables of points, each given as text."""

    def read(**tables):
        for name, text in tables.items():
            (tmp_path / f"{name}.csv").write_text(text)
        return collection.read_means(tmp_path)

    return read


def test_points_are_those_that_bin_evaluate_wrote(tmp_path):
    means = [
        MeanPoint("new", 10.0, 2, 0.25, 30.123, 0.9, 10.0, 0.1, 0.2),
        MeanPoint("new", 90.0, 2, 1.25, math.inf, 1.0, math.inf, 0.1, 0.2),
    ]
    report.write_csv(tmp_path / "means.csv", means)
    first, second = collection.read_means(tmp_path)
    assert first.ms_ssim_db == pytest.approx(10)
    assert first.setting == 10
    assert (first.num_images, first.bpp, first.psnr) == (2, 0.25, 30.123)
    assert second == means[1]


def test_what_is_not_known_is_nan(read):
    (point,) = read(a=POINTS + "old,,0.5,30,\n")
    assert (point.bpp, point.psnr, point.num_images) == (0.5, 30, 0)
    unknown = (point.setting, point.ms_ssim, point.ms_ssim_db, point.encode_seconds)
    assert all(math.isnan(value) for value in unknown)


def test_tables_of_a_folder_are_joined(read):
    means = read(b=POINTS + "y,1,0.5,30,0.9\n", a=POINTS + "x,1,0.5,30,0.9\n")
    assert [point.codec for point in means] == ["x", "y"]


def test_a_folder_may_be_empty_or_missing(tmp_path):
    assert collection.read_means(tmp_path / "none") == []


@pytest.mark.parametrize("column", ["codec", "setting", "bpp", "psnr", "ms_ssim"])
def test_a_missing_column_is_named(read, column):
    broken = POINTS.replace(column + ",", "").replace("," + column + "\n", "\n")
    with pytest.raises(ValueError, match=f"points.csv: Expected a column '{column}'"):
        read(points=broken)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("x,1,0.5,high,0.9", "a.csv: Expected a number in column 'psnr', .* 'high'"),
        ("x,1,,30,0.9", "a.csv: Expected a rate > 0 in column 'bpp', received ''"),
        ("x,1,-1,30,0.9", "a.csv: Expected a rate > 0 in column 'bpp', received '-1'"),
    ],
)
def test_a_broken_number_is_named(read, row, message):
    with pytest.raises(ValueError, match=message):
        read(a=POINTS + row + "\n")


def test_a_codec_is_in_one_table(read):
    row = "x,1,0.5,30,0.9\n"
    with pytest.raises(ValueError, match="b.csv: .* 'x', which has some in a.csv"):
        read(a=POINTS + row, b=POINTS + row)
