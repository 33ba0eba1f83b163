"""The wheel, in an empty environment, brings everything that its programs need."""

import email
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.programs import ROOT, load_program

pytestmark = pytest.mark.slow
release = load_program("release", "tools")
NOT_COPIED = shutil.ignore_patterns(".venv*", ".*_cache", "__pycache__", "*.egg-info")
# By version of Python: the last Pillow with known holes that it could have, the first
# without them there.
PILLOW = {"3.9": ("11.2", "11.3"), "3.10": ("12.2", "12.3"), "3.11": ("12.3", "13.0")}
NOT_COPIED_AT_TOP = {".git", ".cache", "runs", "dist", "build"}

# In a wheel, flagfiles lie beside the programs.
INSTALLED = """
from importlib.metadata import distribution
from importlib.util import find_spec
from tf_imgcomp_bin import export_step
from tf_imgcomp_bin.command_line.program import with_flagfile
from tf_imgcomp.image_codecs import models

print(*models.available())
assert with_flagfile("--flagfile=fdram.flags") != "--flagfile=fdram.flags"
assert (export_step.PORTABLE / "train.py").is_file()
for program in distribution("tf_imgcomp").entry_points:
    assert find_spec(program.module), program
"""


def run(*command, cwd):
    """Runs a program that sees nothing of this checkout; returns its output."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    command = list(map(str, command))
    result = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def not_copied(folder, names):
    """What a copy of the repository does without; see `shutil.copytree`."""
    at_top = NOT_COPIED_AT_TOP if Path(folder) == ROOT else set()
    return NOT_COPIED(folder, names) | at_top.intersection(names)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A copy of the repository."""
    source = tmp_path_factory.mktemp("repository") / "source"
    shutil.copytree(ROOT, source, symlinks=True, ignore=not_copied)
    return source


@pytest.fixture(scope="module")
def wheel(source, tmp_path_factory):
    """A wheel that was built from the source distribution."""
    return release.build(source, tmp_path_factory.mktemp("dist"))[1]


@pytest.fixture
def python(wheel, tmp_path):
    """The Python of an environment that has the wheel and what pip installs for it."""
    environment = tmp_path / "env"
    yield release.install(wheel, environment)
    shutil.rmtree(environment)  # Two gigabytes.


def test_the_wheel_has_everything_and_is_small(wheel, source):
    assert release.missing(wheel, source) == []
    assert wheel.stat().st_size < release.MAX_BYTES


def test_a_lost_file_is_found(wheel, source):
    (source / "tf_imgcomp" / "new.txt").touch()
    assert release.missing(wheel, source) == ["tf_imgcomp/new.txt"]
    (source / "tf_imgcomp" / "new.txt").unlink()


def test_a_newcomer_uses_models_api_plugin_and_programs(python, tmp_path):
    printed = run(python, "-I", "-c", INSTALLED, cwd=tmp_path)
    models = {card.parent.name for card in ROOT.glob("saved_models/*/card.json")}
    assert set(printed.split()) == models
    shutil.copy(ROOT / release.SMOKE_TEST, tmp_path)
    printed = run(python, "-I", release.SMOKE_TEST.name, cwd=tmp_path)
    assert printed == "smoke test: passed\n"


def test_packages_that_read_images_are_required(wheel):
    with zipfile.ZipFile(wheel) as files:
        (name,) = (n for n in files.namelist() if n.endswith(".dist-info/METADATA"))
        metadata = email.message_from_bytes(files.read(name))
    requirements = [Requirement(r) for r in metadata.get_all("Requires-Dist")]
    always = {
        python: {
            r.name: r.specifier
            for r in requirements
            if not r.marker
            or r.marker.evaluate({"python_version": python, "extra": ""})
        }
        for python in ("3.9", "3.10", "3.11")
    }
    for python, (last_with_holes, first) in PILLOW.items():
        assert "pillow-heif" in always[python]
        assert "pillow-jxl-plugin" not in always[python]
        assert last_with_holes not in always[python]["pillow"]
        assert first in always[python]["pillow"]
        with_extra = {"python_version": python, "extra": "jxl"}
        plugins = [
            r
            for r in requirements
            if r.name == "pillow-jxl-plugin" and r.marker.evaluate(with_extra)
        ]
        assert len(plugins) == 1
