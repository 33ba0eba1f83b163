#!/usr/bin/env -S python3 -I
"""Exports models again, from the weights and the card in their folders.

    bin/export_model saved_models/fdram saved_models/bpg+xue2019
    bin/export_model --weights=runs/a/final.npz,runs/b/final.npz runs/saved_models/mine

Run it after a change of the file format or of a SavedModel's functions, or with
--weights to give a model the mean weights of several runs. It prints the new
fingerprint of each model. The old SavedModel stays whole until the new one is.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # No start-up noise.

from collections.abc import Sequence
from pathlib import Path

from absl import flags

from tf_imgcomp_bin.command_line import program

PROGRAM = "export_model"

_WEIGHTS = flags.DEFINE_list(
    "weights",
    [],
    "Weights for the one model, in place of those in its folder: files of runs, or "
    "folders of models; of several, the mean.",
)


def export_again(folder: Path) -> int:
    """Exports the model of a folder again; returns its fingerprint."""
    from tf_imgcomp.model_folder import read_card
    from tf_imgcomp.runs import keras_models

    card = read_card(folder)
    model = keras_models.load_trained(folder)
    if _WEIGHTS.value:
        keras_models.start_from_mean(list(map(Path, _WEIGHTS.value)), model)
        card.pop("validation", None)  # Of the weights before.
    print(f"{folder}: exporting", flush=True)
    keras_models.export_trained(model, folder, card)
    return read_card(folder)["fingerprint"]


def export_all(folders: Sequence[str]) -> int:
    for folder in folders:
        print(f"{folder}: fingerprint {export_again(Path(folder))}", flush=True)
    return 0


def main(argv: Sequence[str]) -> int:
    if len(argv) < 2:
        program.end_with_usage_error(PROGRAM, "expected at least one folder")
    if _WEIGHTS.value and len(argv) > 2:
        program.end_with_usage_error(PROGRAM, "expected one folder with --weights")
    return program.guard(PROGRAM, lambda: export_all(argv[1:]))


def run() -> None:
    program.run(PROGRAM, main)


if __name__ == "__main__":
    run()
