"""What bin/train prints."""

import subprocess
import sys

import pytest
from PIL import Image

# In a process of its own: flags of programs collide. It stops before it trains.
PROGRAM = """
from tf_imgcomp.data.patches import PHOTOS
from tf_imgcomp.runs import train as training
from tf_imgcomp_bin import train
from tf_imgcomp_bin.command_line import program

def read_photos(data, *_, report, progress, **__):
    training.open_photos(data, PHOTOS, report, progress)

training.train = read_photos
flags = ["--data=photos", "--workdir=run", "--cache=cache"]
raise SystemExit(train.main(program.parse("train", ["", *flags])))
"""


@pytest.mark.slow
def test_unreadable_photos_are_named_on_one_line(tmp_path, make_image):
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.fromarray(make_image(8, 9)).save(folder / "photo.png")
    (folder / "a\nb\x1b[2J\udcff.png").write_bytes(b"bad")
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=tmp_path, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    _, named, _ = run.stdout.splitlines()
    assert named == r"not readable, left out: a\nb\x1b[2J\xff.png"
