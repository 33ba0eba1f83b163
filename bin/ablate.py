#!/usr/bin/env -S python3 -I
"""Measures the gain of each part of fdram.

    bin/ablate --data=PHOTOS --workdir=runs/ablation KODAK_FOLDER

Trains the variants in the folder --flags one after the other, each with budget.flags
and its own flagfile, evaluates real files of each on the images, and writes to the
folder --workdir:

    VARIANT/            the run, see bin/train
    models/VARIANT/     the model
    evaluation/VARIANT/ its points, see bin/evaluate
    means/VARIANT.csv   its mean points
    ablation.md, .csv   BD-PSNR, dB at 0.15 bpp and decode seconds for every part,
                        beside what the source of fdram claims (README, Sources)

If killed, it resumes. Seconds are valid only if the machine does nothing else while
bin/evaluate runs.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from absl import flags

from tf_imgcomp.errors import ImgcompError
from tf_imgcomp_bin.command_line import messages, program

PROGRAM = "ablate"
BIN = Path(__file__).parent

_DATA = flags.DEFINE_string("data", None, "Folder of photos to train on.")
_WORKDIR = flags.DEFINE_string("workdir", None, "Folder for all results.")
_FLAGS = flags.DEFINE_string(
    "flags",
    str(BIN / "flagfiles" / "ablation"),
    "Folder of flagfiles: budget.flags, and one for each variant.",
)
_QUALITIES = flags.DEFINE_list(
    "qualities", "1,10,20,30,45,60", "Qualities to evaluate, each from 1 to 100."
)

_BUDGET = "budget"


def steps() -> list:
    """The comparisons, with the claims of the sources (at 0.15 bits per pixel)."""
    from tf_imgcomp.evaluation.ablation import Step

    return [
        Step("FDRAM", "attention", "residual", claim=0.23),
        Step("mixture, K 1 to 2, tied", "mixture_tied", "attention", claim=0.25),
        Step("mixture, K 1 to 3, free", "mixture_free", "attention", claim=0.25),
        Step("post-processing", "post_processing", "mixture_tied", claim=0.13),
        Step("the three together", "post_processing", "residual", claim=0.37),
        Step("context in four passes", "mixture_tied", "no_context"),
        Step("raster context", "raster", "no_context"),
        Step("raster for four passes", "raster", "mixture_tied"),
    ]


def ablate(images: Sequence[str]) -> int:
    from tf_imgcomp.atomic_files import write_atomically
    from tf_imgcomp.evaluation import ablation, report
    from tf_imgcomp.evaluation.collection import read_means

    output, folder = Path(_WORKDIR.value), Path(_FLAGS.value)
    variants = sorted({path.stem for path in folder.glob("*.flags")} - {_BUDGET})
    if not variants or not (folder / f"{_BUDGET}.flags").is_file():
        raise ImgcompError(f"{folder}: expected {_BUDGET}.flags and one of a variant")
    for variant in variants:
        train(folder, variant, output)
    for variant in variants:  # After all training, which would distort the seconds.
        evaluate(variant, output, images)
    measured = [m for m in read_means(output / "means") if m.codec in variants]
    rows = ablation.gains(measured, steps())
    table = ablation.gains_table(rows)
    if rows:
        report.write_csv(output / "ablation.csv", rows)
    write_atomically(output / "ablation.md", table.encode(), overwrite=True)
    print(table, end="")
    return 0


def train(folder: Path, variant: str, output: Path) -> None:
    """Trains and exports a variant unless it is there."""
    model = output / "models" / variant
    if (model / "card.json").exists():
        return
    run_program(
        "train",
        f"--flagfile={folder / _BUDGET}.flags",
        f"--flagfile={folder / variant}.flags",
        f"--data={_DATA.value}",
        f"--workdir={output / variant}",
        f"--export={model}",
        "--validation_photos=0",
    )


def evaluate(variant: str, output: Path, images: Sequence[str]) -> None:
    """Measures a variant; bin/evaluate keeps what it has measured before."""
    from tf_imgcomp.atomic_files import write_atomically

    results = output / "evaluation" / variant
    run_program(
        "evaluate",
        f"--model={output / 'models' / variant}",
        f"--qualities={','.join(_QUALITIES.value)}",
        "--baselines=",
        f"--output={results}",
        *images,
    )
    means = (results / "means.csv").read_bytes()
    write_atomically(output / "means" / f"{variant}.csv", means, overwrite=True)


def run_program(name: str, *arguments: str) -> None:
    """Runs another program; what it prints is for the user."""
    print(f"{messages.called(name)} {' '.join(arguments)}", flush=True)
    command = [sys.executable, "-I", str(BIN / f"{name}.py"), *arguments]
    if code := subprocess.run(command, check=False).returncode:
        name = messages.called(name)
        raise ImgcompError(f"{name} ended with exit code {code}, see above")


def main(argv: Sequence[str]) -> int:
    for flag in (_DATA, _WORKDIR):
        if not flag.value:
            program.end_with_usage_error(PROGRAM, f"expected --{flag.name}")
    if len(argv) < 2:
        program.end_with_usage_error(PROGRAM, "expected images to evaluate on")
    return program.guard(PROGRAM, lambda: ablate(argv[1:]))


def run() -> None:
    program.run(PROGRAM, main)


if __name__ == "__main__":
    run()
