"""bin/compare: the picture, its numbers, and wrong arguments."""

import json
from pathlib import Path

import numpy as np
import pytest
from absl.testing import flagsaver
from PIL import Image

from tf_imgcomp import metrics
from tf_imgcomp.classical import CODECS
from tf_imgcomp.image_codecs import models
from tf_imgcomp.image_files.images import read_image
from tf_imgcomp_bin import compare
from tf_imgcomp_bin.command_line.program import parse


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def codec(tiny_model):
    return models.load(str(tiny_model))


@pytest.fixture
def threads():
    """The threads of the workers that the program gave to its codec."""
    return []


@pytest.fixture
def run(folder, codec, threads, capsys, monkeypatch, kept_options):
    """Returns a function that runs the program: exit code, output and messages."""
    load_other = models.load

    def load(name, workers):
        threads.append(workers.threads)
        return codec if name == "tiny" else load_other(name)

    monkeypatch.setattr(models, "DEFAULT", "tiny")
    monkeypatch.setattr(models, "load", load)

    def run(*arguments):
        with flagsaver.flagsaver():
            argv = ["compare", *arguments]
            try:
                code = compare.main(parse("compare", argv))
            except SystemExit as exit_:
                code = exit_.code
        return (code, *capsys.readouterr())

    return run


def figures(name):
    rows = json.loads(Path(name).read_text())["codecs"]
    return {row["codec"]: row for row in rows}


def test_as_many_threads_are_used_as_asked_for(run, threads, make_image):
    Image.fromarray(make_image(9, 13)).save("photo.png")
    assert run("--threads=1", "--codecs=", "photo.png")[0] == 0
    assert threads == [1]


def test_the_picture_of_a_folder_goes_into_a_folder(run, folder, make_image):
    (folder / "photos").mkdir()
    Image.fromarray(make_image(9, 13)).save("photos/photo.png")
    assert run("--codecs=", "--output=out", "photos")[0] == 0
    assert (folder / "out" / "photo.comparison.png").is_file()


@pytest.mark.slow
def test_classical_files_are_no_larger_than_ours(run, make_image):
    Image.fromarray(make_image(65, 103)).save("photo.png")
    code, out, err = run("--quality=90", "photo.png")
    assert (code, err) == (0, "")
    assert out.startswith("photo.png -> photo.comparison.png: tiny ")
    rows = figures("photo.comparison.json")
    assert list(rows) == ["tiny", "jpeg", "jpeg2000"]
    x, limit = read_image("photo.png").pixels, rows["tiny"]["num_bytes"]
    for name in ("jpeg", "jpeg2000"):
        data = CODECS[name].encode(x, rows[name]["setting"])
        x_hat = CODECS[name].decode(data)
        assert rows[name]["num_bytes"] == len(data) <= limit
        assert rows[name]["psnr"] == metrics.psnr(x, x_hat)
        assert rows[name]["ssim"] == metrics.ssim(x, x_hat)
        assert rows[name]["ssimulacra2"] is None  # The photo is too small.
    with Image.open("photo.comparison.png") as picture:
        assert picture.width > 4 * 400


@pytest.mark.slow
def test_a_photo_that_is_large_enough_has_a_score(run, make_image):
    Image.fromarray(make_image(225, 240)).save("photo.png")
    assert run("--codecs=webp", "photo.png")[0] == 0
    assert all(
        row["ssimulacra2"] < 100 for row in figures("photo.comparison.json").values()
    )


@pytest.mark.slow
@pytest.mark.parametrize("size", [(1, 1), (300, 9)])
def test_grey_and_tiny_and_long_photos_are_shown(run, make_image, size):
    Image.fromarray(make_image(*size)[..., 0]).save("photo.png")
    arguments = ("--codecs=webp", "--target_bpp=1e5", "--output=out/picture.pdf")
    assert run(*arguments, "photo.png")[0] == 0
    assert Path("out/picture.pdf").read_bytes().startswith(b"%PDF")
    assert list(figures("out/picture.json")) == ["tiny", "webp"]


def test_an_importance_map_is_shown_where_there_is_one(
    run, codec, make_image, monkeypatch
):
    weights, drawn = np.linspace(0, 1, 32, dtype=np.float32).reshape(4, 8), []
    monkeypatch.setattr(
        compare.side_by_side,
        "draw",
        lambda *arguments: drawn.append(arguments[2]) or b"",
    )
    Image.fromarray(make_image(40, 70)).save("photo.png")
    assert run("photo.png")[0] == 0
    monkeypatch.setattr(codec, "importance", lambda *arguments: weights)
    assert run("--overwrite", "photo.png")[0] == 0
    latents, importance = drawn
    assert latents.title == "size of the latents, in bits"
    assert latents.values.shape == weights.shape
    assert latents.values.max() > latents.values.min() >= 0
    assert importance.title == "importance map"
    np.testing.assert_array_equal(importance.values, weights)


def test_nothing_is_replaced_or_left_half_written(run, make_image):
    Image.fromarray(make_image(8, 8)).save("photo.png")
    Path("photo.comparison.json").write_text("mine")
    Path("bad.png").write_bytes(b"bad")
    code, out, err = run("bad.png", "photo.png")
    assert (code, out) == (1, "")
    assert err.splitlines() == [
        "bin/compare: bad.png: not an image of a known format",
        "bin/compare: photo.png: photo.comparison.json exists: set overwrite to "
        "replace it",
    ]
    assert not Path("photo.comparison.png").exists()


def test_images_over_max_pixels_are_refused(run, make_image):
    Image.fromarray(make_image(8, 9)).save("photo.png")
    code, out, err = run("--max_pixels=71", "photo.png")
    assert (code, out) == (1, "")
    assert "photo.png: 9 x 8 pixels exceed the limit of 71 (max_pixels)" in err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "expected at least one input"),
        (["--codecs=gif", "a.png"], 2, "Expected some of jpeg, jpeg444, "),
        (["--quality=5", "--target_bpp=1", "a.png"], 2, "At most one of"),
        (["--output=a.gif", "a.png"], 1, "expected a name that ends in .png or .pdf"),
        (["--model=none", "a.png"], 1, "needs model 'none'; there are:"),
    ],
)
def test_mistakes_are_told_in_one_line(run, arguments, code, message):
    result, out, err = run(*arguments)
    assert (result, out) == (code, "")
    assert message in err
    assert err.startswith("bin/compare: ")
    assert err.count("\n") == 1
