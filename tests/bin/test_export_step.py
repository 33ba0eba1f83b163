"""What bin/export_step writes is all that the other machine needs."""

import subprocess
import sys
from pathlib import Path

import pytest

PORTABLE = Path(__file__).parents[2] / "portable"

# In a process of its own: flags of programs collide. The step itself is tested apart.
PROGRAM = """
from pathlib import Path
from tf_imgcomp.runs import train
from tf_imgcomp.training import portable
from tf_imgcomp_bin import export_step
from tf_imgcomp_bin.command_line import program

train.new_trainable = lambda *_: None
portable.export_step = lambda model, output, *_: Path(output).mkdir()
argv = program.parse("export_step", ["", "--output=step"])
raise SystemExit(export_step.main(argv))
"""


@pytest.mark.slow
def test_the_folder_holds_the_runner_and_its_requirements(tmp_path):
    command = [sys.executable, "-c", PROGRAM]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    for name in ("train.py", "requirements.txt"):
        copy = tmp_path / "step" / name
        assert copy.read_bytes() == (PORTABLE / name).read_bytes()
