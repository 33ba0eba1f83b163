#!/usr/bin/env -S python3 -I
"""Exports models again, from the weights and the card in their folders.

    bin/export_model saved_models/fdram saved_models/bpg+xue2019

Run it after a change of the file format or of a SavedModel's functions. It prints the
new fingerprint of each model. The old SavedModel stays whole until the new one is.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # No start-up noise.

from collections.abc import Sequence
from pathlib import Path

from tf_imgcomp_bin.command_line import program

PROGRAM = "export_model"

_WRITTEN = (
    *("id", "fingerprint", "bytes_per_pixel", "encoder_base"),
    *("tile", "border", "reach"),
)


def export_again(folder: Path) -> int:
    """Exports the model of a folder again; returns its fingerprint."""
    from tf_imgcomp.model_folder import read_card
    from tf_imgcomp.runs.keras_models import export_trained, load_trained

    card = {k: v for k, v in read_card(folder).items() if k not in _WRITTEN}
    print(f"{folder}: exporting", flush=True)
    export_trained(load_trained(folder), folder, card)
    return read_card(folder)["fingerprint"]


def export_all(folders: Sequence[str]) -> int:
    for folder in folders:
        print(f"{folder}: fingerprint {export_again(Path(folder))}", flush=True)
    return 0


def main(argv: Sequence[str]) -> int:
    if len(argv) < 2:
        program.end_with_usage_error(PROGRAM, "expected at least one folder")
    return program.guard(PROGRAM, lambda: export_all(argv[1:]))


def run() -> None:
    program.run(PROGRAM, main)


if __name__ == "__main__":
    run()
