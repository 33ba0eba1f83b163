"""bin/ablate from photos to its table, on variants that are tiny."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests import tiny
from tf_imgcomp_bin import ablate

FLAGFILES = Path(__file__).parents[2] / "bin" / "flags" / "ablation"


def sizes(path):
    (line,) = (x for x in path.read_text().splitlines() if x.startswith("--sizes="))
    return json.loads(line.split("=", 1)[1])


@pytest.fixture
def run(tmp_path, make_image):
    """Returns a function that runs the program on two variants of two steps."""
    folder = tmp_path / "flags"
    folder.mkdir()
    budget = (FLAGFILES / "budget.flags").read_text()
    less = "--steps=2\n--batch=1\n--crop=64\n"
    (folder / "budget.flags").write_text(budget + less)
    for variant in ("residual", "attention"):
        ours = sizes(FLAGFILES / f"{variant}.flags")
        small = {**tiny.sizes(**ours.pop("coder", {})), **ours}
        (folder / f"{variant}.flags").write_text(f"--sizes={json.dumps(small)}\n")
    (tmp_path / "photos").mkdir()
    for i in range(2):
        Image.fromarray(make_image(70, 80, i)).save(tmp_path / "photos" / f"{i}.png")

    def run(*arguments):
        program = [sys.executable, "-I", Path(ablate.__file__)]
        flags = (f"--flags={folder}", "--data=photos", "--output=out")
        return subprocess.run(
            [*program, *flags, "--qualities=20,50,80", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )

    return run


def test_variants_are_trained_measured_and_compared_once(run, tmp_path):
    first = run("photos")
    assert first.returncode == 0, first.stderr[-2000:]
    with open(tmp_path / "out" / "ablation.csv", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["variant"], row["against"]) == ("attention", "residual")
    assert (row["claim"], abs(float(row["bd_psnr"])) < 3) == ("0.23", True)
    table = (tmp_path / "out" / "ablation.md").read_text()
    assert table in first.stdout
    assert "| FDRAM | attention | residual | " in table
    again = run("photos")
    assert again.returncode == 0
    assert "bin/train" not in again.stdout
    assert (tmp_path / "out" / "ablation.md").read_text() == table


def test_a_failing_program_ends_it(run):
    result = run("--qualities=0", "photos")
    last = result.stderr.splitlines()[-1]
    assert result.returncode == 1
    assert last == "bin/ablate: bin/evaluate ended with exit code 1, see above"


def test_every_comparison_is_of_two_flagfiles():
    names = {path.stem for path in FLAGFILES.iterdir()} - {"budget"}
    compared = {
        name for step in ablate.steps() for name in (step.variant, step.against)
    }
    assert compared == names
