"""The memory that images may take."""

import pytest

from tf_imgcomp import size_limits

GB = 2**30


@pytest.fixture
def group(tmp_path, monkeypatch):
    """The folder of a container's limits. This process uses 1 GB of the memory."""
    groups = [(tmp_path, "memory.max", "memory.current")]
    monkeypatch.setattr(size_limits, "_CGROUPS", groups)
    monkeypatch.setattr(size_limits, "_free_memory", lambda: 64 * GB)
    status = tmp_path / "status"
    status.write_text(f"Name:\ta: b\nRssAnon:\t {GB // 1024} kB\n")
    monkeypatch.setattr(size_limits, "_OF_PROCESS", status)
    return tmp_path


def _write(group, limit, used, stat):
    (group / "memory.max").write_text(f"{limit}\n")
    (group / "memory.current").write_text(f"{used}\n")
    (group / "memory.stat").write_text("".join(f"{k} {v}\n" for k, v in stat.items()))


@pytest.mark.parametrize(
    ("limit", "used", "available"),
    [
        (4 * GB, 3 * GB, 2 * GB),
        (4 * GB, 6 * GB, 0),
        ("max", 3 * GB, 64 * GB),
        (80 * GB, 3 * GB, 64 * GB),
    ],
)
def test_a_container_has_what_other_processes_leave(group, limit, used, available):
    _write(group, limit, used, {"anon": 5, "inactive_file": 0, "active_file": 0})
    assert size_limits.available_memory() == available


@pytest.mark.parametrize("total", ["", "total_"])
def test_cached_files_give_way(group, total):
    stat = {"inactive_file": 1, "active_file": 2}
    stat |= {f"{total}inactive_file": GB, f"{total}active_file": GB // 2}
    _write(group, 4 * GB, 4 * GB, stat)
    assert size_limits.available_memory() == 2.5 * GB


def test_without_a_container_the_machine_counts(group):
    assert size_limits.available_memory() == 64 * GB
