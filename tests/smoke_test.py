"""Uses an installed package as a newcomer does; run in an empty folder.

    python -I smoke_test.py

The shipped default model must be there, and the programs beside Python.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

import tf_imgcomp
import tf_imgcomp.pillow_plugin

HEIGHT, WIDTH = 40, 60


def pixels() -> np.ndarray:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    waves = [np.sin(rows / 7 + columns / (5 + channel)) for channel in range(3)]
    return np.uint8(128 + 90 * np.stack(waves, axis=-1))


def check_close(image) -> None:
    assert image.size == (WIDTH, HEIGHT), image.size
    error = np.square(np.asarray(image, float) - pixels()).mean()
    assert error < 100, error


def use_api() -> None:
    data = tf_imgcomp.compress(pixels(), quality=80)
    check_close(tf_imgcomp.decompress(data))
    assert tf_imgcomp.decompress(data, scale=1 / 4).size == (WIDTH // 4, HEIGHT // 4)
    infos = tf_imgcomp.models()
    assert all((info.folder / "weights.npz").is_file() for info in infos)
    assert all((info.folder / "card.md").is_file() for info in infos)


def use_pillow() -> None:
    Image.fromarray(pixels()).save("photo.tfci", quality=80)
    with Image.open("photo.tfci") as image:
        assert image.format == "TFCI"
        check_close(image)


def use_programs() -> None:
    Image.fromarray(pixels()).save("photo.png")
    run("compress", "photo.png", "--quality=80", "--overwrite")
    assert "fingerprint" in run("inspect", "photo.tfci")
    run("decompress", "photo.tfci", "--output=back.png")
    with Image.open("back.png") as image:
        check_close(image)
    for program in Path(sys.executable).parent.glob("tf_imgcomp-*"):
        name = program.name.partition("-")[2]
        assert run(name, "--version") == f"tf_imgcomp {tf_imgcomp.__version__}\n"


def run(name: str, *arguments: str) -> str:
    command = [Path(sys.executable).with_name(f"tf_imgcomp-{name}"), *arguments]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


if __name__ == "__main__":
    use_api()
    use_pillow()
    use_programs()
    print("smoke test: passed")
