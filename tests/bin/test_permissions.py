"""Files and folders that the user may not write or read, as a user who is not root."""

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image

from tests.bin.test_compress import check_error, run
from tf_imgcomp_bin import compress, decompress

NOBODY = 65534
pytestmark = pytest.mark.skipif(
    not hasattr(os, "setresuid"), reason="needs permissions as Linux has them"
)


@pytest.fixture(autouse=True)
def folder(stub, make_image, monkeypatch, capsys):
    """The current folder, with `photo.png`, `photo.tfci` and `in/other.png`."""
    folder = Path(tempfile.mkdtemp())  # That of pytest is closed to others.
    folder.chmod(0o777)
    monkeypatch.chdir(folder)
    Image.fromarray(make_image(30, 41)).save("photo.png")
    # Imports what the programs need: nobody may not read it.
    assert run(compress, "photo.png") == 0
    assert run(decompress, "photo.tfci", "--output=back.png") == 0
    capsys.readouterr()
    Path("in").mkdir()
    shutil.copy("photo.png", "in/other.png")
    yield folder
    Path("in").chmod(0o777)
    shutil.rmtree(folder)


@contextmanager
def nobody():
    """A user who may do what all may; root may do everything."""
    if os.getuid():
        yield
        return
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


@pytest.mark.parametrize(
    ("program", "source", "output", "target"),
    [
        (compress, "in", None, "in/other.tfci"),
        (compress, "photo.png", "in", "in/photo.tfci"),
        (compress, "photo.png", "in/new/", "in/new/photo.tfci"),
        (decompress, "photo.tfci", "in/x.png", "in/x.png"),
        (decompress, "photo.tfci", "in/other.png", "in/other.png"),
    ],
)
def test_a_folder_that_may_not_be_written_is_named(
    capsys, program, source, output, target
):
    Path("in").chmod(0o555)
    outputs = ["--overwrite", *([f"--output={output}"] if output else [])]
    source_file = "in/other.png" if source == "in" else source
    message = f"{source_file}: {target} cannot be written: no permission for in\n"
    with nobody():
        check_error(capsys, program, message, *outputs, source)
    assert os.listdir("in") == ["other.png"]


@pytest.mark.parametrize(
    ("path", "mode", "argument", "named"),
    [
        ("in/other.png", 0o000, "in", "in/other.png"),
        ("in", 0o000, "in", "in"),
        ("in", 0o000, "in/other.png", "in/other.png"),
        ("in", 0o444, "in", "in/other.png"),
    ],
)
def test_what_may_not_be_read_does_not_stop_other_files(
    capsys, path, mode, argument, named
):
    Path(path).chmod(mode)
    with nobody():
        assert run(compress, argument, "photo.png", "--output=out") == 1
    error = f"bin/compress: {named}: Permission denied\n"
    assert capsys.readouterr().err == error
    assert os.listdir("out") == ["photo.tfci"]
