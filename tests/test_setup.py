"""The set-up and the checks of bin/test, with a stand-in for Python."""

import ast
import contextlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from packaging.requirements import InvalidRequirement, Requirement

ROOT = Path(__file__).parents[1]
CHECKS = ["ruff check", "ruff format --check", "mypy", "pytest"]

# A stand-in that logs its calls. "-m venv" copies it into the environment, "-m pip
# install" fails while a file "offline" exists, and so does a check in a file "broken".
PYTHON = """#!/bin/bash
echo "$*" >>calls
case "$*" in
    "-m venv"*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
    "-m pip install"*) [[ ! -e offline ]] || { echo "ERROR: no network"; exit 1; } ;;
    *) [[ ! -e broken || "$*" != "-m $(<broken)"* ]] || exit 3 ;;
esac
"""


@pytest.fixture
def repository(tmp_path):
    """A copy of the files that the set-up needs, with the only folder of PATH."""
    for name in ("bin", "tools", "tf_imgcomp", "portable"):
        (tmp_path / name).mkdir()
    for name in ("bin/test", "bin/launch", "tools/setup_env.sh", "setup.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    for name in ("pyproject.toml", "tf_imgcomp/__init__.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "portable" / "requirements.txt", tmp_path / "portable")
    for tool in "bash basename cat cksum cp dirname grep mkdir rm tail tee".split():
        os.symlink(shutil.which(tool), tmp_path / "tools" / tool)
    return tmp_path


def add_python(repository, name="python3.10", script=PYTHON):
    path = repository / "tools" / name
    path.write_text(script)
    path.chmod(0o755)


def run(repository, name="test", *arguments):
    """Runs a program; returns its result and the calls of the Python stand-in."""
    environment = {"PATH": str(repository / "tools"), "HOME": str(repository)}
    command = [repository / "bin" / name, *arguments]
    result = subprocess.run(command, env=environment, capture_output=True, text=True)
    calls = repository / "calls"
    lines = calls.read_text().splitlines() if calls.exists() else []
    calls.unlink(missing_ok=True)
    return result, lines


def installs(calls):
    """The calls that install the package with its test dependencies."""
    return [call for call in calls if "pip install" in call and ".[test]" in call]


def checks(calls):
    """The checks that were called, in order."""
    return [
        check for call in calls for check in CHECKS if call.startswith(f"-m {check}")
    ]


def floors(name, python):
    """The floors of a package in setup.py for a version of Python."""
    text = (ROOT / "setup.py").read_text()
    strings = [
        n.value for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Constant)
    ]
    for string in filter(lambda each: isinstance(each, str), strings):
        with contextlib.suppress(InvalidRequirement):
            requirement = Requirement(string)
            marker = requirement.marker
            if requirement.name == name and requirement.specifier:
                if marker is None or marker.evaluate({"python_version": python}):
                    yield str(requirement.specifier)


@pytest.mark.parametrize("name", ["pillow", "pillow-heif", "pillow-jxl-plugin"])
@pytest.mark.parametrize("python", ["3.9", "3.10", "3.11"])
def test_a_package_that_decodes_has_one_floor_per_python(name, python):
    """The first release without known holes, or the last for this Python."""
    expected = {
        "pillow": {"3.9": ">=11.3", "3.10": ">=12.3", "3.11": ">=13.0"},
        "pillow-heif": {"3.9": ">=1.1.1", "3.10": ">=1.8.1", "3.11": ">=1.8.1"},
        "pillow-jxl-plugin": {"3.9": ">=1.3.4", "3.10": ">=1.3.8", "3.11": ">=1.3.8"},
    }
    assert list(floors(name, python)) == [expected[name][python]]


def test_set_up_is_done_once(repository):
    add_python(repository)
    result, calls = run(repository)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == (
        "Setting up .venv (a few minutes, once) ...\nSetting up .venv-jax ...\n"
    )
    assert installs(calls)
    assert checks(calls) == CHECKS
    result, calls = run(repository)
    assert result.stdout == ""
    assert checks(calls) == CHECKS
    assert len(calls) == len(CHECKS)


@pytest.mark.parametrize("number", range(len(CHECKS)))
def test_a_check_that_fails_ends_the_run(repository, number):
    add_python(repository)
    (repository / "broken").write_text(CHECKS[number])
    result, calls = run(repository)
    assert result.returncode == 3
    assert checks(calls) == CHECKS[: number + 1]


def test_arguments_go_to_pytest(repository):
    add_python(repository)
    _, calls = run(repository, "test", "-m", "not slow", "tests/ops")
    assert calls[-1].startswith("-m pytest ")
    assert calls[-1].endswith(" -m not slow tests/ops")


def test_no_jax_is_no_error(repository):
    without = PYTHON.replace("[[ ! -e offline ]]", '[[ "$*" != *portable* ]]')
    add_python(repository, script=without)
    result, calls = run(repository)
    assert result.returncode == 0
    assert "No JAX for this Python" in result.stderr
    assert checks(calls) == CHECKS
    assert not (repository / ".venv-jax" / "bin" / "python").exists()
    result, calls = run(repository)
    assert result.stderr == ""
    assert checks(calls) == CHECKS


def test_set_up_is_repeated_when_requirements_change(repository):
    add_python(repository)
    run(repository)
    with open(repository / "setup.py", "a") as file:
        file.write("# changed\n")
    assert installs(run(repository)[1])
    assert not installs(run(repository)[1])


def test_a_failed_set_up_says_so_and_is_repeated(repository):
    add_python(repository)
    (repository / "offline").touch()
    result, _ = run(repository)
    assert result.returncode == 1
    assert "Setting up .venv failed: see .venv/setup.log" in result.stderr
    assert "ERROR: no network" in result.stderr
    (repository / "offline").unlink()
    result, calls = run(repository)
    assert result.returncode == 0
    assert installs(calls)


def test_a_broken_environment_is_made_again(repository):
    add_python(repository)
    run(repository)
    (repository / ".venv" / "bin" / "python").unlink()
    result, calls = run(repository)
    assert result.returncode == 0
    assert any(call.startswith("-m venv") for call in calls)


def test_no_suitable_python_is_one_clear_line(repository):
    add_python(repository, "python3", "#!/bin/bash\nexit 1\n")
    result, _ = run(repository)
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.startswith("No suitable Python found: install Python 3.9, ")
    assert result.stderr.count("\n") == 1


def test_a_program_without_environment_points_to_quickstart(repository):
    result, _ = run(repository, "launch")
    assert result.returncode == 1
    assert result.stderr == (
        "bin/launch: no Python environment has the package yet, "
        "run bin/quickstart first.\n"
    )
