"""The memory that images may take."""

import pytest

from tf_imgcomp import size_limits

GB = 10**9


@pytest.fixture
def group(tmp_path, monkeypatch):
    """The folder of a container's limits; the machine has far more memory."""
    groups = [(tmp_path, "memory.max", "memory.current")]
    monkeypatch.setattr(size_limits, "_CGROUPS", groups)
    monkeypatch.setattr(size_limits, "_free_memory", lambda: 64 * GB)
    return tmp_path


def _write(group, limit, used, cached):
    (group / "memory.max").write_text(f"{limit}\n")
    (group / "memory.current").write_text(f"{used}\n")
    (group / "memory.stat").write_text(f"anon 5\ninactive_file {cached}\n")


@pytest.mark.parametrize(
    ("limit", "used", "cached", "available"),
    [
        (4 * GB, 3 * GB, 0, GB),
        (4 * GB, 3 * GB, 2 * GB, 3 * GB),
        (4 * GB, 5 * GB, 0, 0),
        ("max", 3 * GB, 0, 64 * GB),
        (80 * GB, 3 * GB, 0, 64 * GB),
    ],
)
def test_a_container_has_what_it_does_not_use(group, limit, used, cached, available):
    _write(group, limit, used, cached)
    assert size_limits.available_memory() == available


def test_without_a_container_the_machine_counts(group):
    assert size_limits.available_memory() == 64 * GB
