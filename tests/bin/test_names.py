"""No file of a program shadows one of Python's modules."""

import subprocess
import sys
from pathlib import Path

import pytest

BIN = Path(__file__).parents[2] / "bin"


@pytest.mark.parametrize("name", ["evaluate", "compress", "train"])
def test_no_file_beside_a_program_hides_a_module_of_python(name):
    # Without -I, Python looks for modules in bin/ first.
    program = [sys.executable, BIN / f"{name}.py", "--help"]
    run = subprocess.run(program, capture_output=True, text=True)
    assert f"bin/{name} " in run.stdout
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(
    "name",
    "compress decompress compare evaluate train make_pairs pack_images "
    "import_weights".split(),
)
def test_programs_that_read_pictures_have_a_limit_of_pixels(name):
    program = [sys.executable, "-I", BIN / f"{name}.py", "--help"]
    run = subprocess.run(program, capture_output=True, text=True)
    assert "--max_pixels: Refuse images of more pixels" in run.stdout
