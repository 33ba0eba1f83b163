"""Every flagfile describes a run that can be trained."""

import subprocess
import sys
from pathlib import Path

import pytest

FLAGFILES = sorted((Path(__file__).parents[2] / "bin/flagfiles").glob("*.flags"))
_PROGRAM = """
import sys
from absl import flags
from absl.testing import flagsaver
from tf_imgcomp.runs.train import new_trainable
from tf_imgcomp_bin.command_line import objective_flags, training_flags
for path in sys.argv[1:]:
    print(path)
    with flagsaver.flagsaver():
        flags.FLAGS(["test", "--flagfile=" + path])
        config = training_flags.trainer_config()
        objective = objective_flags.objective_config()
        new_trainable(training_flags.model_config(), objective, config.seed)
        assert len(training_flags.card()["flags"]) > 5
"""


@pytest.mark.slow
def test_every_flagfile_makes_a_model():
    """In a process of their own, for flags are its global state."""
    assert len(FLAGFILES) > 10
    run = subprocess.run(
        [sys.executable, "-I", "-c", _PROGRAM, *map(str, FLAGFILES)],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout[-200:] + run.stderr[-2000:]
    assert run.stdout.splitlines() == [*map(str, FLAGFILES)]
