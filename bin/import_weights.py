#!/usr/bin/env -S python3 -I
"""Exports weights trained by portable/train.py as a model.

    bin/import_weights run/out --model=saved_models/mine --data=PHOTOS

Reads `weights.npz` and `spec.json` in the folder, measures the codec with real bits on
the photos of PHOTOS that are held out from training (on all photos if none are), and
writes the SavedModel with its card. For a post-filter, PHOTOS holds pairs.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # No start-up noise.

import json
from collections.abc import Sequence
from pathlib import Path

from absl import app, flags

from tf_imgcomp_bin.command_line import input_flags, messages, program

PROGRAM = "import_weights"

flags.adopt_module_key_flags(input_flags)
_MODEL = flags.DEFINE_string(
    "model", None, "Folder to write. Its name becomes the model's id.", required=True
)
_DATA = flags.DEFINE_string("data", None, "Folder of photos.", required=True)
_DATA_NOTE = flags.DEFINE_string(
    "data_note", "", "Source and licence of the photos it was trained on, for the card."
)
_PHOTOS = flags.DEFINE_integer(
    "validation_photos", 16, "Largest number of validation photos.", lower_bound=1
)


def main(argv: Sequence[str]) -> int:
    if len(argv) != 2:
        raise app.UsageError(f"Expected one folder, received {argv[1:]}.")
    return program.guard(PROGRAM, lambda: import_weights(Path(argv[1])))


def import_weights(folder: Path) -> int:
    spec = read_spec(folder / "spec.json")  # Before TensorFlow is imported.
    from tf_imgcomp.model_folder import design_of
    from tf_imgcomp.runs.config import ObjectiveConfig
    from tf_imgcomp.runs.keras_models import export_trained, trained_model
    from tf_imgcomp.runs.kinds import KINDS

    kind = KINDS[design_of(spec["card"])[0]]
    model = trained_model(spec["card"], folder / "weights.npz")
    figures = kind.validation(model, photos(), ObjectiveConfig())()
    figures.pop("reconstruction")
    card = {
        **spec["card"],
        "steps": spec["steps"],
        "seconds": round(spec["seconds"]),
        "data": _DATA_NOTE.value,
        "validation": figures,
    }
    export_trained(model, Path(_MODEL.value), card)
    for name, value in figures.items():
        print(f"{name} {value:.4f}")
    return 0


def read_spec(path: Path) -> dict:
    """The description that portable/train.py wrote beside its weights."""
    from tf_imgcomp.errors import ModelError
    from tf_imgcomp.model_folder import design_of

    try:
        spec = json.loads(path.read_text())
        _ = spec["steps"], spec["seconds"], design_of(spec["card"])
    except (ValueError, LookupError, TypeError, AttributeError, ModelError) as error:
        raise ModelError(f"{path} is not what portable/train.py writes") from error
    return spec


def photos() -> list:
    """The photos to measure on, uint8 `(h, w, 3)`."""
    from tf_imgcomp.data.photos import is_held_out, photo_files
    from tf_imgcomp.errors import ImageError
    from tf_imgcomp.image_files.images import read_image

    files = photo_files(_DATA.value)
    chosen = [path for path in files if is_held_out(path.name)] or files
    read: list = []
    for path in chosen:
        if len(read) == _PHOTOS.value:
            break
        try:
            limit = input_flags.MAX_PIXELS.value
            read.append(read_image(path, max_pixels=limit).pixels)
        except (ImageError, OSError) as error:
            messages.complain(PROGRAM, f"{path}: {error}, left out")
    if not read:
        raise ImageError(f"{_DATA.value}: no photo can be read")
    if len(read) < _PHOTOS.value:
        wanted = f"{len(read)} photos instead of {_PHOTOS.value}"
        messages.complain(PROGRAM, f"validation on {wanted}: no more are there")
    return read


def run() -> None:
    program.run(PROGRAM, main)


if __name__ == "__main__":
    run()
