"""The structure of the package: allowed imports, and where flags are defined."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "tf_imgcomp"

LEVELS = {
    "errors": 0,
    "atomic_files": 1,
    "freed_memory": 1,
    "ops": 1,
    "regions": 1,
    "saved_functions": 1,
    "size_limits": 1,
    "configured_model": 2,
    "image_files": 2,
    "layers": 2,
    "metrics": 2,
    "data": 3,
    "entropy": 3,
    "entropy_coding": 4,
    "losses": 3,
    "model_card": 3,
    "model_folder": 3,
    "weights_file": 3,
    "codecs": 4,
    "classical": 4,
    "postfilter": 4,
    "bitstream": 4,
    "export": 5,
    "training": 5,
    "image_codecs": 5,
    "client": 6,
    "files": 6,
    "runs": 6,
    "evaluation": 7,
    "api": 7,
    "pillow_plugin": 8,
    "serving": 7,
    "servers": 8,
}


def part(path):
    """Returns the package's folder or top-level module that contains a file."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports(path):
    """Yields the full name of everything that a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (
                "." * node.level + f"{node.module or ''}.{alias.name}"
                for alias in node.names
            )


def source_files():
    return sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE) + [
        path for path in sorted(PACKAGE.glob("*.py")) if path.stem != "__init__"
    ]


each_file = pytest.mark.parametrize(
    "path", source_files(), ids=lambda path: str(path.relative_to(PACKAGE))
)


@each_file
def test_a_folder_imports_only_from_lower_levels(path):
    own = part(path)
    for name in imports(path):
        assert not name.startswith("."), f"{name}: full names only"
        assert not name.startswith("tf_imgcomp_bin"), "the programs use the package"
        if not name.startswith("tf_imgcomp."):
            continue
        other = name.split(".")[1]
        if other not in ("__version__", own):
            assert LEVELS[other] < LEVELS[own], f"{own} must not import {name}"


@each_file
def test_flags_are_left_to_the_programs(path):
    assert not [name for name in imports(path) if name.startswith("absl.flags")]


def test_every_part_of_the_package_has_a_level_and_no_other():
    assert {part(path) for path in source_files()} == LEVELS.keys()


def test_every_folder_of_tests_is_one_of_the_package_or_beside_it():
    tests = {path.parent.name for path in (ROOT / "tests").glob("*/test_*.py")}
    assert tests <= LEVELS.keys() | {"benchmarks", "bin", "tools"}
