#!/usr/bin/env -S python3 -I
"""Builds and checks what is uploaded to PyPI; tools/release runs it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
MAX_BYTES = 60_000_000  # Of the wheel.
# For each folder whose files must be in the wheel, where they are in there.
INSTALLED = {
    "tf_imgcomp": "tf_imgcomp",
    "saved_models": "tf_imgcomp/saved_models",
    "bin/flagfiles": "tf_imgcomp_bin/flagfiles",
    "portable": "tf_imgcomp_bin/portable",
}
SMOKE_TEST = Path("tests") / "smoke_test.py"


def build(source: Path, output: Path) -> tuple[Path, Path]:
    """Builds a source distribution, and the wheel from it.

    Args:
        source: A copy of the repository.
        output: Folder for both, made if missing.

    Returns:
        Their paths.
    """
    sdist = _run_backend("sdist", source, output)
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(sdist) as archive:
            archive.extractall(folder)
        (unpacked,) = Path(folder).iterdir()
        return sdist, _run_backend("wheel", unpacked, output)


def _run_backend(kind: str, source: Path, output: Path) -> Path:
    output.mkdir(parents=True, exist_ok=True)
    code = (
        "import sys; from setuptools import build_meta; "
        f"print(build_meta.build_{kind}(sys.argv[1]), file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, str(output.resolve())]
    result = subprocess.run(command, cwd=source, capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"tools/release: the {kind} cannot be built:\n{result.stderr}")
    return output / result.stderr.splitlines()[-1]


def missing(wheel: Path, source: Path) -> list[str]:
    """Returns the files that a wheel lacks.

    Args:
        wheel: Its path.
        source: The copy of the repository that it was built from.
    """
    wanted = {
        f"{there}/{path.relative_to(source / here).as_posix()}"
        for here, there in INSTALLED.items()
        for path in (source / here).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    return sorted(wanted - set(zipfile.ZipFile(wheel).namelist()))


def install(wheel: Path, environment: Path) -> Path:
    """Installs a wheel with all that it needs in a new environment.

    Returns:
        The environment's Python.
    """
    _check(sys.executable, "-m", "venv", environment)
    python = environment / "bin" / "python"
    _check(python, "-I", "-m", "pip", "install", "--quiet", wheel.resolve())
    return python


def _check(*command: object, cwd: Path = ROOT) -> None:
    if subprocess.run(list(map(str, command)), cwd=cwd).returncode:
        sys.exit("tools/release: failed, see above")


def main() -> None:
    status = ("git", "status", "--porcelain")
    if subprocess.run(status, cwd=ROOT, capture_output=True, check=True).stdout:
        sys.exit("tools/release: commit everything first, see git status")
    with tempfile.TemporaryDirectory() as name:
        folder, source = Path(name), Path(name) / "source"
        _check("git", "archive", f"--output={folder / 'all.tar'}", "HEAD")
        with tarfile.open(folder / "all.tar") as archive:
            archive.extractall(source)
        files = build(source, ROOT / "dist")
        wheel = files[1]
        if lost := missing(wheel, source):
            sys.exit(f"tools/release: {wheel} lacks {', '.join(lost)}")
        if wheel.stat().st_size > MAX_BYTES:
            sys.exit(f"tools/release: {wheel} has {wheel.stat().st_size} bytes")
        _check(sys.executable, "-m", "twine", "check", "--strict", *files)
        shutil.copy(ROOT / SMOKE_TEST, folder)
        python = install(wheel, folder / "env")
        _check(python, "-I", SMOKE_TEST.name, cwd=folder)
    for path in files:
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1e6:.1f} MB")
    print("Upload both: python -m twine upload", *(f.relative_to(ROOT) for f in files))


if __name__ == "__main__":
    main()
