"""The wheel, in a separate environment, contains everything that its programs need."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from PIL import Image

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]
SOURCES = ("LICENSE", "README.md", "pyproject.toml", "setup.py")
FOLDERS = ("bin", "saved_models", "tf_imgcomp")
PIP = ("-m", "pip", "--disable-pip-version-check", "--quiet")

# In a wheel, flagfiles lie beside the programs.
INSTALLED = """
from importlib.metadata import distribution
from importlib.util import find_spec
from pathlib import Path
import tf_imgcomp_bin
from tf_imgcomp.image_codecs import models

print(*models.available())
flags = Path(*tf_imgcomp_bin.__path__) / "flags"
print(*sorted(str(path.relative_to(flags)) for path in flags.rglob("*.flags")))
for program in distribution("tf_imgcomp").entry_points:
    assert find_spec(program.module), program
"""


def run(*command, cwd, exit_code=0):
    """Runs a program that sees nothing of this checkout; returns its output."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    command = list(map(str, command))
    result = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True
    )
    assert result.returncode == exit_code, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """The folder of programs of an environment that has the wheel.

    Other packages come from the tests' environment, without its editable link to this
    checkout.
    """
    folder = tmp_path_factory.mktemp("wheel")
    source, dist, environment = (folder / name for name in ("source", "dist", "env"))
    for name in FOLDERS:
        shutil.copytree(ROOT / name, source / name, symlinks=True)
    for name in SOURCES:
        shutil.copy(ROOT / name, source)
    build = ("wheel", "--no-deps", "--no-index", "--no-build-isolation")
    run(sys.executable, *PIP, *build, f"--wheel-dir={dist}", source, cwd=folder)
    run(sys.executable, "-m", "venv", "--without-pip", environment, cwd=folder)
    paths = {"base": environment, "platbase": environment}
    packages = Path(sysconfig.get_path("purelib", vars=paths))
    (packages / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    python = environment / "bin" / "python"
    install = ("install", "--no-deps", "--no-index", "--ignore-installed")
    run(python, *PIP, *install, *dist.glob("*.whl"), cwd=folder)
    return python.parent


def test_models_flagfiles_and_programs_are_installed(programs, tmp_path):
    printed = run(programs / "python", "-c", INSTALLED, cwd=tmp_path)
    models, flagfiles = (set(line.split()) for line in printed.splitlines())
    assert models == {
        card.parent.name for card in ROOT.glob("saved_models/*/card.json")
    }
    flags = ROOT / "bin" / "flags"
    assert flagfiles == {str(f.relative_to(flags)) for f in flags.rglob("*.flags")}


def test_a_photo_goes_there_and_back(programs, make_image, tmp_path):
    compress, decompress = (
        programs / f"tf_imgcomp-{name}" for name in ("compress", "decompress")
    )
    # Programs of absl end with 1 after their help.
    assert "--quality" in run(compress, "--help", cwd=tmp_path, exit_code=1)
    Image.fromarray(make_image(40, 60)).save(tmp_path / "photo.png")
    run(compress, "photo.png", cwd=tmp_path)
    run(decompress, "photo.tfci", "--output=back.png", cwd=tmp_path)
    with Image.open(tmp_path / "back.png") as image:
        assert image.size == (60, 40)
