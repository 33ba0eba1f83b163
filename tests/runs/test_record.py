"""The settings of a run, kept and compared."""

import json

import pytest

from tf_imgcomp.errors import ImgcompError
from tf_imgcomp.runs.record import check_settings

SETTINGS = {
    "sizes": {"levels": 6, "slices": (16, 64)},
    "seed": 1,
    "quality": None,
    "optimization": {"steps": 100, "learning_rate": 0.001, "clip_norm": 1.0},
}


def changed(name, value):
    """`SETTINGS` with another value of one, named with dots."""
    settings = json.loads(json.dumps(SETTINGS))
    *outer, last = name.split(".")
    part = settings
    for key in outer:
        part = part[key]
    part[last] = value
    return settings


def check(folder, settings, resumes=True):
    """Returns the lines that are reported."""
    lines = []
    check_settings(folder, settings, resumes, lines.append)
    return lines


def test_the_same_settings_are_silent(tmp_path):
    assert check(tmp_path, SETTINGS, resumes=False) == []
    assert json.loads((tmp_path / "run.json").read_text())["seed"] == 1
    assert check(tmp_path, SETTINGS) == []


@pytest.mark.parametrize(
    ("name", "value", "difference"),
    [
        ("seed", 2, "seed was 1 and is now 2"),
        ("quality", 50.0, "quality was None and is now 50.0"),
        ("sizes.levels", 3, "sizes.levels was 6 and is now 3"),
        ("sizes.slices", [8], r"sizes.slices was \[16, 64\] and is now \[8\]"),
        ("optimization.clip_norm", 2, "optimization.clip_norm was 1.0 and is now 2"),
    ],
)
def test_another_setting_is_refused_and_the_record_stays(
    tmp_path, name, value, difference
):
    check(tmp_path, SETTINGS, resumes=False)
    message = (
        f"^{tmp_path} cannot be resumed: {difference}; "
        "set it back, or train in another folder$"
    )
    for _ in range(2):
        with pytest.raises(ImgcompError, match=message):
            check(tmp_path, changed(name, value))


def test_a_longer_run_and_another_learning_rate_are_told_once(tmp_path):
    check(tmp_path, SETTINGS, resumes=False)
    longer = changed("optimization.steps", 200)
    assert check(tmp_path, longer) == [
        "resumed: optimization.steps was 100 and is now 200"
    ]
    assert check(tmp_path, longer) == []
    slower = changed("optimization.learning_rate", 0.1)
    assert "resumed: optimization.learning_rate was 0.001 and is now 0.1" in check(
        tmp_path, slower
    )


def test_a_run_without_a_checkpoint_or_a_record_takes_any_settings(tmp_path):
    assert check(tmp_path, SETTINGS) == []
    assert check(tmp_path, changed("seed", 2), resumes=False) == []
    assert check(tmp_path, changed("seed", 2)) == []


def test_a_setting_of_another_version_is_not_compared(tmp_path):
    check(tmp_path, {**SETTINGS, "old": 1}, resumes=False)
    assert check(tmp_path, {**SETTINGS, "new": 2}) == []


def test_a_damaged_record_is_told(tmp_path):
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(ImgcompError, match="run.json is damaged: delete it to resume"):
        check(tmp_path, SETTINGS)
