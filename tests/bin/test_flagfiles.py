"""Every flagfile describes a run that can be trained."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_PROGRAM = """
import json, sys
from absl import flags
from tf_imgcomp.runs.train import new_trainable
from tf_imgcomp_bin import objective_flags, training_flags
flags.FLAGS(["test", "--flagfile=" + sys.argv[1]])
config = training_flags.trainer_config()
objective = objective_flags.objective_config()
new_trainable(training_flags.model_config(), objective, config.seed)
print(len(training_flags.card()["flags"]))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "path", sorted((ROOT / "bin" / "flags").glob("*.flags")), ids=str
)
def test_flagfile(path):
    run = subprocess.run(
        [sys.executable, "-I", "-c", _PROGRAM, str(path)],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    assert int(run.stdout) > 5
