"""Freed memory goes back to the system."""

import ctypes
from pathlib import Path

import pytest

from tf_imgcomp import freed_memory

SIZE, COUNT = 50_000, 4000  # Below what glibc gives back by itself.


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="needs glibc")
def test_the_process_shrinks():
    blocks = [bytes(range(256)) * (SIZE // 256) for _ in range(COUNT)]
    last, full = blocks[-1:], resident()  # The end of the heap is in use.
    del blocks
    before = resident()
    freed_memory.give_back()
    assert full - resident() > 0.9 * SIZE * COUNT
    assert before - resident() > 0.5 * SIZE * COUNT  # It had not gone by itself.
    assert len(last) == 1


def resident() -> int:
    lines = Path("/proc/self/status").read_text()
    return 1024 * int(lines.split("VmRSS:")[1].split()[0])


def test_without_glibc_nothing_happens(monkeypatch):
    monkeypatch.setattr("ctypes.CDLL", lambda name: object())
    freed_memory.give_back()
