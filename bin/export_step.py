#!/usr/bin/env -S python3 -I
"""Exports the training step of a flagfile, to train on another machine.

    bin/export_step --flagfile=fdram_m.flags --output=run/step \
        [--init=WEIGHTS] [--batch=16 --crop=256 --precision=bfloat16]

The folder holds all that training needs but the photos, which bin/pack_images packs:
neither TensorFlow nor this package. On the other machine:

    pip install -r step/requirements.txt 'jax[cuda13]'
    python step/train.py step --data=photos.zip --output=out --minutes=20

bin/import_weights brings the weights back. Only Adam can be exported: add
--optimizer=adam to a flagfile with another optimizer.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # No start-up noise.

import shutil
from collections.abc import Sequence
from pathlib import Path

from absl import app, flags

from tf_imgcomp_bin.command_line import objective_flags, program, training_flags

PROGRAM = "export_step"

_HERE = Path(__file__).parent
# The runner, beside this file if it is installed, else beside its folder.
PORTABLE = _HERE / "portable"
if not PORTABLE.is_dir():
    PORTABLE = _HERE.parent / "portable"

flags.adopt_module_key_flags(training_flags)
flags.adopt_module_key_flags(objective_flags)
_OUTPUT = flags.DEFINE_string("output", None, "Folder to write.", required=True)


def main(argv: Sequence[str]) -> int:
    if len(argv) > 1:
        raise app.UsageError(f"Expected flags only, received {argv[1:]}.")
    return program.guard(PROGRAM, export)


def export() -> int:
    from tf_imgcomp.runs.train import new_trainable, settings
    from tf_imgcomp.training.portable import export_step

    model = training_flags.model_config()
    objective = objective_flags.objective_config()
    config = training_flags.trainer_config()
    batch, crop = training_flags.BATCH.value, training_flags.CROP.value
    recorded = settings(model, objective, config, batch, crop)
    export_step(
        new_trainable(model, objective, config.seed),
        _OUTPUT.value,
        config,
        batch,
        crop,
        {**training_flags.card(), "settings": recorded},
    )
    for name in ("train.py", "requirements.txt"):
        shutil.copy(PORTABLE / name, _OUTPUT.value)
    return 0


def run() -> None:
    program.run(PROGRAM, main)


if __name__ == "__main__":
    run()
