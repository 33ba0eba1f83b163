"""bin/render_screens: the files, and wrong arguments."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tf_imgcomp.data.screens import render

PROGRAM = Path(__file__).parents[2] / "bin" / "render_screens.py"


def run(*arguments):
    """Runs the program: exit code, output and messages.

    In a process of its own, as other programs have flags of the same names.
    """
    command = [sys.executable, "-I", PROGRAM, *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True)
    return result.returncode, result.stdout, result.stderr


def test_files_hold_the_pictures_of_the_seed(tmp_path):
    folder = tmp_path / "new" / "screens"
    code, out, err = run(
        "--count=4", "--seed=9", "--width=100", "--height=80", f"--output={folder}"
    )
    assert (code, err) == (0, "")
    assert out == f"{folder}: 4 pictures of 100x80\n"
    files = sorted(folder.iterdir())
    assert [file.name for file in files] == [render.file_name(n) for n in range(4)]
    for number, file in enumerate(files):
        expected = np.asarray(render.render(9, number, 100, 80))
        np.testing.assert_array_equal(np.asarray(Image.open(file)), expected)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--count=0", "flag --count=0: 0 is not a positive integer"),
        ("--width=63", "flag --width=63: 63 is not integer >= 64"),
        ("--height=-1", "flag --height=-1: -1 is not integer >= 64"),
        ("--seed=-1", "-1 is not a non-negative integer"),
        ("folder", "expected flags only, received folder"),
    ],
)
def test_wrong_arguments_end_it_with_one_line(tmp_path, argument, message):
    code, out, err = run(f"--output={tmp_path / 'out'}", argument)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_an_output_that_is_a_file_is_told(tmp_path):
    (tmp_path / "out").touch()
    code, out, err = run("--count=1", f"--output={tmp_path / 'out'}")
    assert (code, out) == (1, "")
    assert err.endswith(f"cannot be written: {tmp_path / 'out'} is not a folder\n")
    assert err.count("\n") == 1


def test_the_output_is_required():
    code, _, err = run("--count=1")
    assert code == 2
    assert "expected --output" in err
