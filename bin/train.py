#!/usr/bin/env -S python3 -I
"""Trains a codec, or a post-filter, and exports it.

    bin/train --flagfile=fdram.flags --data=PHOTOS --workdir=runs/fdram
    bin/train --flagfile=xue2019.flags --data=PAIRS --workdir=runs/xue2019

PHOTOS is a folder of images of any size and format, PAIRS the output of
bin/make_pairs. A run that was killed resumes from its last checkpoint. It writes the
averaged weights to `WORKDIR/final.npz`, the best validated ones to `best.npz` and their
figures to `best.json`; --export writes a SavedModel with its card. TensorBoard reads
WORKDIR/logs; --plot_every draws losses and validations.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # No start-up noise.

from collections.abc import Sequence
from pathlib import Path

from absl import app, flags

from tf_imgcomp_bin.command_line import (
    input_flags,
    messages,
    objective_flags,
    program,
    training_flags,
)

PROGRAM = "train"

flags.adopt_module_key_flags(training_flags)
flags.adopt_module_key_flags(objective_flags)
flags.adopt_module_key_flags(input_flags)
_DATA = flags.DEFINE_string("data", None, "Folder of photos.", required=True)
_CACHE = flags.DEFINE_string(
    "cache", ".cache/photos", "Folder for decoded photos, about 3 bytes per pixel."
)
_WORKDIR = flags.DEFINE_string(
    "workdir", None, "Folder of the run: checkpoints, logs, weights.", required=True
)
_EXPORT = flags.DEFINE_string("export", None, "Folder for the SavedModel.")
_DATA_NOTE = flags.DEFINE_string("data_note", "", "Source and licence, for the card.")
_VALIDATION_PHOTOS = flags.DEFINE_integer(
    "validation_photos", 16, "Largest number of validation photos."
)


def main(argv: Sequence[str]) -> int:
    if len(argv) > 1:
        raise app.UsageError(f"Expected flags only, received {argv[1:]}.")
    return program.guard(PROGRAM, train)


def train() -> int:
    from tqdm import tqdm

    from tf_imgcomp.runs.train import train as run_training

    card = training_flags.card()
    run_training(
        training_flags.data_config(
            folder=Path(_DATA.value),
            cache=Path(_CACHE.value),
            validation_photos=_VALIDATION_PHOTOS.value,
            max_pixels=input_flags.MAX_PIXELS.value,
            note=_DATA_NOTE.value,
        ),
        Path(_WORKDIR.value),
        training_flags.trainer_config(),
        training_flags.model_config(),
        objective_flags.objective_config(),
        export=_EXPORT.value and Path(_EXPORT.value),
        card={"flags": card["flags"]},
        report=lambda line: print(messages.one_line(line), flush=True),
        progress=tqdm,
    )
    return 0


def run() -> None:
    program.run(PROGRAM, main)


if __name__ == "__main__":
    run()
