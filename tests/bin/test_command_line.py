"""What all programs have: a name, a version, completion, flagfiles, help."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from absl import flags

import tf_imgcomp
from tf_imgcomp.image_codecs.classical import CLASSICAL_CODECS
from tf_imgcomp_bin.command_line import coding_flags, completion, messages, program

BIN = Path(__file__).parents[2] / "bin"
MODULES = [
    path.stem for path in sorted(BIN.glob("*.py")) if "PROGRAM =" in path.read_text()
]
SETUP = ast.parse((BIN.parent / "setup.py").read_text())
# Modules by the names of programs.
PROGRAMS = next(
    ast.literal_eval(node.value)
    for node in SETUP.body
    if isinstance(node, ast.Assign) and node.targets[0].id == "PROGRAMS"
)

# As the stubs of pip do: the name of the program, then a call of `run`.
INSTALLED = """
import sys
sys.argv[0] = "/opt/tf_imgcomp-" + sys.argv.pop(1)
from tf_imgcomp_bin.{0} import run
run()
"""


def installed(name, *arguments, module=None):
    """Runs a program as if pip had installed it."""
    code = INSTALLED.format(module or name)
    command = [sys.executable, "-c", code, name, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_all_programs_are_installed():
    assert sorted(PROGRAMS.values()) == MODULES


def test_programs_name_themselves_as_they_are_called(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["/any/bin/compress.py"])
    messages.complain("compress", "no")
    monkeypatch.setattr(sys, "argv", ["/usr/bin/tf_imgcomp-compress"])
    messages.complain("compress", "no")
    assert capsys.readouterr().err == "bin/compress: no\ntf_imgcomp-compress: no\n"


@pytest.mark.slow
@pytest.mark.parametrize("name", PROGRAMS)
def test_an_installed_program_tells_its_version_and_its_flags(name):
    result = installed(name, "--version", module=PROGRAMS[name])
    version = f"tf_imgcomp {tf_imgcomp.__version__}\n"
    assert (result.returncode, result.stdout, result.stderr) == (0, version, "")
    result = installed(name, "--help", module=PROGRAMS[name])
    assert f"tf_imgcomp-{name} " in result.stdout
    assert not re.search(r"(?<!/)\bbin/", result.stdout)
    source = (BIN / f"{PROGRAMS[name]}.py").read_text()
    own = re.findall(r'flags\.DEFINE_\w+\(\s*"(\w+)"', source)
    for flag in (*own, "version", "completion"):
        assert len(re.findall(rf"\n  --(?:\[no\])?{flag}: ", result.stdout)) == 1
    assert "verbosity" not in result.stdout


def test_a_usage_error_names_the_installed_program():
    result = installed("inspect", module="inspect_file")
    assert result.stderr == (
        "tf_imgcomp-inspect: expected at least one input "
        "(see tf_imgcomp-inspect --help)\n"
    )


def test_flagfiles_of_the_package_are_found_by_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = Path(program.__file__).parents[1] / "flagfiles"
    shipped = f"--flagfile={folder / 'fdram.flags'}"
    assert program.with_flagfile("--flagfile=fdram.flags") == shipped
    nested = program.with_flagfile("--flagfile=ablation/raster.flags")
    assert Path(nested.partition("=")[2]).is_file()
    for unchanged in ("--flagfile=none.flags", "--output=fdram.flags", "fdram.flags"):
        assert program.with_flagfile(unchanged) == unchanged
    Path("fdram.flags").touch()
    own = "--flagfile=fdram.flags"
    assert program.with_flagfile(own) == own


COMPLETE = """
{script}
COMP_WORDS=({words})
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_bin_decompress
echo "${{COMPREPLY[@]}}"
"""


@pytest.fixture(scope="module")
def script():
    """What bin/decompress prints for bash."""
    program = [sys.executable, BIN / "decompress.py", "--completion"]
    result = subprocess.run(program, capture_output=True, text=True, check=True)
    assert "-F _bin_decompress bin/decompress\n" in result.stdout
    return result.stdout


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("bin/decompress --sc", "--scale="),
        ("bin/decompress --over", "--overwrite"),
        ("bin/decompress --scale =", "1/2 1/4 1/8 1/16"),
        ("bin/decompress --scale = 1/1", "1/16"),
        ("bin/decompress --scale 1/4", ""),
        ("bin/decompress --output = a", ""),
        ("bin/decompress photo", ""),
    ],
)
def test_bash_completes_flags_and_their_values(script, words, completed):
    text = COMPLETE.format(script=script, words=words)
    result = subprocess.run(["bash", "-c", text], capture_output=True, text=True)
    assert (result.stdout, result.stderr) == (f"{completed}\n", "")


def test_models_are_completed(monkeypatch):
    monkeypatch.setattr(completion.models, "available", lambda: ["a", "b"])
    script = completion.script("x", [flags.FLAGS[coding_flags.MODEL.name]])
    assert f"--model) values='a b {' '.join(CLASSICAL_CODECS)}' ;;" in script


@pytest.mark.slow
def test_a_program_that_imports_tensorflow_late_gets_its_second_version():
    code = """
from tf_imgcomp_bin.command_line import program

def main(argv):
    import tensorflow as tf

    same = tf.function(lambda x, y: x == y, autograph=False)
    print(same(tf.constant(1), tf.constant(1)).numpy())

program.run("compress", main)
"""
    command = [sys.executable, "-c", code]
    # TensorFlow has set this here.
    env = {key: value for key, value in os.environ.items() if key != "TF2_BEHAVIOR"}
    result = subprocess.run(command, capture_output=True, env=env, check=True)
    assert result.stdout == b"True\n"
