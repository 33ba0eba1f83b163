"""bin/evaluate and bin/quickstart from end to end, with a stub codec."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

BIN = Path(__file__).parents[2] / "bin"
NAMES = ("bad.png", "cut.png", "photo.png")
STUB = Path(__file__).with_name("stub_models.py")


@pytest.fixture
def run(tmp_path):
    """Returns a function that runs a program in a folder of its own."""

    def run(name, *arguments):
        return subprocess.run(
            [sys.executable, "-I", STUB, BIN / f"{name}.py", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )

    return run


@pytest.fixture
def photo(tmp_path, make_image):
    path = tmp_path / "photo.png"
    Image.fromarray(make_image(48, 64)).save(path)
    return path


@pytest.mark.slow
def test_evaluate_writes_and_prints_results(run, photo, tmp_path):
    (tmp_path / "bad.png").write_bytes(b"bad")
    data = bytearray(photo.read_bytes())
    data[29] ^= 1  # The checksum of its header.
    (tmp_path / "cut.png").write_bytes(data)
    flags = ("--qualities=10,50,90", "--baselines=jpeg,webp", "--output=out")
    result = run("evaluate", *flags, *NAMES)
    assert result.returncode == 1
    lines = result.stderr.splitlines()
    told = [f"image {n} of 3: {name}" for n, name in enumerate(NAMES, 1)]
    assert lines[:1] + lines[2:3] + lines[4:] == [f"bin/evaluate: {s}" for s in told]
    bad, cut = lines[1], lines[3]
    assert bad == "bin/evaluate: bad.png: not an image of a known format"
    assert cut.startswith("bin/evaluate: cut.png: ")
    assert "| stub  | jpeg" in result.stdout
    assert "| stub  | webp" in result.stdout
    with open(tmp_path / "out" / "points.csv", newline="") as file:
        points = [row for row in csv.DictReader(file) if row["codec"] == "stub"]
    assert [point["setting"] for point in points] == ["10.0", "50.0", "90.0"]
    assert {point["image"] for point in points} == {"photo.png"}
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert [row["anchor"] for row in results["comparisons"]] == ["jpeg", "webp"]
    assert (tmp_path / "out" / "rd.png").stat().st_size > 10_000

    before = (tmp_path / "out" / "points.csv").read_bytes()
    again = run("evaluate", *flags, "photo.png")
    assert again.returncode == 0
    assert (tmp_path / "out" / "points.csv").read_bytes() == before  # Times too.


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "bin/evaluate: expected at least one image (see bin/evaluate --help)"),
        (["--qualities=0", "a.png"], 2, "Expected numbers from 1 to 100"),
        (["--qualities=x", "a.png"], 2, "Expected numbers from 1 to 100"),
        (["--baselines=gif", "a.png"], 2, "Expected some of jpeg, jpeg444, "),
        (["--effort=10", "a.png"], 2, "--effort=10: 10 is not an integer in the"),
        (["--effort=7", "a.png"], 1, "bin/evaluate: 'stub' is no learned codec: "),
        (["--model=none", "a.png"], 1, "bin/evaluate: no model 'none' here"),
        (["--model=auto", "a.png"], 1, "bin/evaluate: no model 'auto' here"),
        (["--modle=stub", "a.png"], 2, "Unknown command line flag 'modle'"),
    ],
)
def test_evaluate_tells_what_is_wrong(run, arguments, code, message):
    result = run("evaluate", *arguments)
    assert result.returncode == code
    assert message in result.stdout + result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.slow
def test_images_over_max_pixels_are_not_evaluated(run, photo):
    result = run("evaluate", f"--max_pixels={48 * 64 - 1}", "photo.png")
    assert result.returncode == 1
    message = "bin/evaluate: photo.png: 64 x 48 pixels exceed the limit of 3071 (max_"
    assert message in result.stderr


# Knows x265 by name only.
BROKEN_FFMPEG = """#!/bin/sh
case "$*" in
    *-encoders) echo libx265 ;;
    *-version) echo ffmpeg version 0 ;;
    *) echo "[libx265 @ 0x7f] out of order" >&2; exit 1 ;;
esac
"""


@pytest.mark.slow
def test_evaluate_goes_on_after_a_codec_failed(run, photo, tmp_path, monkeypatch):
    program = tmp_path / "ffmpeg"
    program.write_text(BROKEN_FFMPEG)
    program.chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(program))
    (tmp_path / "other.png").write_bytes(photo.read_bytes())
    result = run("evaluate", "--baselines=bpg", "photo.png", "other.png")
    assert result.returncode == 1
    assert result.stderr == "".join(
        f"bin/evaluate: image {number} of 2: {name}\n"
        f"bin/evaluate: {name}: bpg at 43: FFmpeg: out of order\n"
        for number, name in ((1, "photo.png"), (2, "other.png"))
    )


@pytest.mark.slow
def test_quickstart_shows_each_photo(run, tmp_path, make_image):
    (tmp_path / "bad.jpg").write_bytes(b"bad")
    Image.fromarray(make_image(400, 1000)).save(tmp_path / "wide.png")
    result = run("quickstart", "bad.jpg", "wide.png")
    assert result.returncode == 1
    assert result.stderr == "bin/quickstart: bad.jpg: not an image of a known format\n"
    heading, row, last = result.stdout.splitlines()
    assert row.split()[:2] == ["wide.png", "1000x400"]
    assert len(heading.split()) == len(row.split()) + len("dB s s".split())
    assert last.endswith("in quickstart_out/")
    output = tmp_path / "quickstart_out"
    assert int(row.split()[2]) == (output / "wide.tfci").stat().st_size
    with Image.open(output / "wide.png") as image:
        assert image.size == (1000, 400)
    with Image.open(output / "wide_side_by_side.png") as picture:
        assert picture.size == (2 * 808 + 8, 28 + 2 * 328)  # Reduced, and a detail.


@pytest.mark.slow
def test_quickstart_takes_a_shipped_photo(run):
    result = run("quickstart")
    assert (result.returncode, result.stderr) == (0, "")
    assert "chelsea.png" in result.stdout
