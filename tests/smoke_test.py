"""Uses an installed package as a newcomer does; run in an empty folder.

    python -I smoke_test.py

The shipped default model must be there, and the programs beside Python.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

import tf_imgcomp
import tf_imgcomp.pillow_plugin

HEIGHT, WIDTH = 40, 60
TRAINING = ("--codec=fdram", "--steps=2", "--warmup_steps=1", "--crop=64", "--batch=1")
TINY = {
    **{"num_filters": 8, "deep_filters": 8, "feedback": []},
    **{"analysis_modules": 0, "synthesis_modules": 0, "post_blocks": 0},
    "coder": {"slices": [8, 16], "optional_slice": False, "features": 8, "hidden": [8]},
}


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
    with Image.open("photo.tfci") as image:
        image.thumbnail((WIDTH // 4, HEIGHT // 4))
        assert image.size == (WIDTH // 4, HEIGHT // 4)


def use_a_folder() -> None:
    Path("photos").mkdir()
    for number in range(3):
        Image.fromarray(pixels()).save(f"photos/{number}.png")
    for path in Path("photos").glob("*.png"):
        tf_imgcomp.compress_file(path, quality=80)
    run("decompress", "photos", "--output=back")
    assert len(list(Path("back").glob("*.png"))) == 3


def use_keras() -> None:
    images = pixels()[None]
    image = tf_imgcomp.load_keras()(images, np.float32([80])).x_hat[0]
    check_close(Image.fromarray(np.uint8(np.clip(image, 0, 255))))


def train_from_the_start() -> None:
    own = "models/own"
    sizes = f"--sizes={json.dumps(TINY)}"
    run("train", *TRAINING, sizes, "--data=photos", "--workdir=run", f"--export={own}")
    run("compress", f"--model={own}", "photo.png", "--quality=100", "--overwrite")
    run("decompress", f"--model={own}", "photo.tfci", "--output=own.png")
    assert Image.open("own.png").size == (WIDTH, HEIGHT)


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
    use_a_folder()
    use_keras()
    train_from_the_start()
    print("smoke test: passed")
