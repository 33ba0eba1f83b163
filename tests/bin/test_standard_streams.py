"""- is standard input or output of compress and decompress."""

import io
import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from absl.testing import flagsaver
from PIL import Image

from tf_imgcomp import bitstream
from tf_imgcomp_bin import compress, decompress
from tf_imgcomp_bin.command_line.program import parse


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def photo(make_image):
    Image.fromarray(make_image(30, 40)).save("photo.png")
    with open("photo.png", "rb") as file:
        return file.read()


@pytest.fixture
def run(monkeypatch, capfdbinary):
    """Runs a program on standard input; returns exit code, output and messages."""

    def run(program, *arguments, stdin=b""):
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(stdin)))
        with flagsaver.flagsaver():
            argv = parse(program.PROGRAM, [program.PROGRAM, *arguments])
            code = program.main(argv)
        out, err = capfdbinary.readouterr()
        return code, out, err.decode()

    return run


def test_an_image_goes_through_pipes(stub, photo, run, folder):
    code, data, err = run(compress, "--quality=90", "-", stdin=photo)
    assert (code, bitstream.unpack(data).quality) == (0, 90)
    assert err.startswith(f"- -> -: {len(data)} bytes, ")
    run(compress, "--quality=90", "photo.png")
    assert data == (folder / "photo.tfci").read_bytes()

    code, png, err = run(decompress, "-", stdin=data)
    assert (code, err.count("\n")) == (0, 1)
    run(decompress, "--output=back.png", "photo.tfci")
    with Image.open("back.png") as back:
        np.testing.assert_array_equal(Image.open(io.BytesIO(png)), back)


def test_files_and_standard_streams_mix(stub, photo, run, folder):
    _, data, _ = run(compress, "--output=-", "photo.png")
    assert bitstream.unpack(data).width == 40
    code, out, _ = run(compress, "--output=named.tfci", "-", stdin=photo)
    assert (code, (folder / "named.tfci").read_bytes()) == (0, data)
    assert out.startswith(b"- -> named.tfci: ")
    _, jpeg, _ = run(decompress, "--format=jpg", "--output=-", "named.tfci")
    assert Image.open(io.BytesIO(jpeg)).format == "JPEG"
    assert sorted(path.name for path in folder.iterdir()) == ["named.tfci", "photo.png"]


def test_what_is_wrong_is_said_and_nothing_is_written(stub, photo, run):
    code, out, err = run(compress, "-", stdin=b"nix")
    assert (code, out) == (1, b"")
    assert err == "bin/compress: -: not an image of a known format\n"
    code, out, err = run(decompress, "-", stdin=b"")
    assert (code, out, err) == (1, b"", "bin/decompress: -: the file is empty\n")
    code, out, err = run(compress, "--output=-", "photo.png", "other.png")
    message = "bin/compress: --output=-: expected one input, received 2\n"
    assert (code, out, err) == (1, b"", message)
    code, out, err = run(compress, "--total_bpp=1", "-", stdin=photo)
    message = "bin/compress: --total_bpp: expected files, received standard input\n"
    assert (code, out, err) == (1, b"", message)


def test_standard_output_may_be_closed():
    result = subprocess.run(
        [sys.executable, "-m", "tf_imgcomp_bin.compress", "none.png"],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: os.close(1),
    )
    assert result.returncode == 1
    assert result.stderr == "bin/compress: none.png: No such file or directory\n"
