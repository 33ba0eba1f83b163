"""bin/ablate, with stand-ins for the programs that it runs."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
from absl.testing import flagsaver

from tf_imgcomp.codecs.fdram import Fdram
from tf_imgcomp.evaluation import report
from tf_imgcomp.evaluation.curves import MeanPoint
from tf_imgcomp_bin import ablate
from tf_imgcomp_bin.command_line.program import parse

FLAGFILES = Path(__file__).parents[2] / "bin" / "flagfiles" / "ablation"
PSNRS = {"residual": 28.0, "attention": 28.2, "mine": 20.0}


def value(arguments, flag):
    """The last value of a flag in a command."""
    return [a.split("=", 1)[1] for a in arguments if a.startswith(f"--{flag}=")][-1]


@pytest.fixture
def programs(monkeypatch):
    """The commands run so far; training and evaluating take no time."""
    commands = []

    def run_program(name, *arguments):
        commands.append(
            (
                name,
                Path(value(arguments, "flagfile" if name == "train" else "model")).stem,
            )
        )
        if name == "train":
            model = Path(value(arguments, "export"))
            model.mkdir(parents=True)
            (model / "card.json").write_text("{}")
            return
        variant = Path(value(arguments, "model")).name
        means = [
            MeanPoint(
                variant, rate, 1, rate, PSNRS[variant] + rate, 0.9, 10, 70, 0.1, 0.2
            )
            for rate in (0.1, 0.2, 0.3)
        ]
        output = Path(value(arguments, "output"))
        output.mkdir(parents=True, exist_ok=True)
        report.write_csv(output / "means.csv", means)

    monkeypatch.setattr(ablate, "run_program", run_program)
    return commands


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Returns a function that runs the program on three flagfiles."""
    monkeypatch.chdir(tmp_path)
    Path("flags").mkdir()
    for name in ("budget", *PSNRS):
        Path(f"flags/{name}.flags").write_text("--sizes={}\n")

    def run(*arguments):
        with flagsaver.flagsaver():
            argv = ["ablate", "--flags=flags", "--data=x", "--workdir=out", *arguments]
            try:
                code = ablate.main(parse("ablate", argv))
            except SystemExit as exit_:
                code = exit_.code
        return (code, *capsys.readouterr())

    return run


def test_variants_are_trained_once_measured_and_compared(run, programs):
    code, out, err = run("photos")
    assert (code, err) == (0, "")
    names = sorted(PSNRS)
    assert programs == [(p, n) for p in ("train", "evaluate") for n in names]
    with open("out/ablation.csv", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["variant"], row["against"]) == ("attention", "residual")
    assert float(row["bd_psnr"]) == pytest.approx(0.2)
    assert float(row["gain"]) == pytest.approx(0.2)
    assert row["claim"] == "0.23"
    assert Path("out/ablation.md").read_text() == out
    programs.clear()
    assert run("photos") == (0, out, "")
    assert programs == [("evaluate", name) for name in names]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "expected images to evaluate on (see bin/ablate --help)"),
        (["--data=", "x"], 2, "expected --data (see bin/ablate --help)"),
        (["--workdir=", "x"], 2, "expected --workdir (see bin/ablate --help)"),
        (["--flags=none", "x"], 1, "none: expected budget.flags and one of a variant"),
    ],
)
def test_mistakes_are_told_in_one_line(run, programs, arguments, code, message):
    assert run(*arguments) == (code, "", f"bin/ablate: {message}\n")
    assert programs == []


def test_a_failing_program_ends_it(run, monkeypatch):
    failed = subprocess.CompletedProcess([], 3)
    monkeypatch.setattr(subprocess, "run", lambda command, check: failed)
    code, _, err = run("photos")
    assert (code, err) == (
        1,
        "bin/ablate: bin/train ended with exit code 3, see above\n",
    )


def test_every_comparison_is_of_two_flagfiles():
    names = {path.stem for path in FLAGFILES.iterdir()} - {"budget"}
    compared = {
        name for step in ablate.steps() for name in (step.variant, step.against)
    }
    assert compared == names


_FLAGS = """
import json, sys
from absl import flags
from tf_imgcomp_bin.command_line import training_flags
budget, *variants = sys.argv[1:]
cards = []
for variant in variants:
    flags.FLAGS.unparse_flags()
    flags.FLAGS(["x", f"--flagfile={budget}", f"--flagfile={variant}"])
    cards.append(training_flags.card())
print(json.dumps(cards))
"""


@pytest.mark.slow
def test_variants_differ_in_nothing_but_sizes():
    budget = FLAGFILES / "budget.flags"
    variants = sorted(set(FLAGFILES.iterdir()) - {budget})
    run = subprocess.run(
        [sys.executable, "-I", "-c", _FLAGS, budget, *variants],
        capture_output=True,
        text=True,
        check=True,
    )
    cards = json.loads(run.stdout)
    sizes = [card.pop("sizes") for card in cards]
    codecs = [Fdram(fields) for fields in sizes]  # Refuses unknown sizes.
    assert len({codec.config for codec in codecs}) == len(variants)
    for card in cards:
        card["flags"] = [x for x in card["flags"] if not x.startswith("--sizes=")]
        assert card == cards[0]
        assert card["codec"] == "fdram"
