"""The check of memory allows what coding takes, by the program that measures it."""

import subprocess
import sys

import pytest

from tests.benchmarks.programs import ROOT


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
@pytest.mark.parametrize("model", ["fdram", "mfca_pmcn"])
def test_peaks_of_memory_are_those_that_the_check_allows(model):
    """Of a picture of four tiles, and of a thin one, which is padded to 64."""
    run = subprocess.run(
        [
            *(sys.executable, ROOT / "benchmarks" / "memory.py"),
            *(f"--models={model}", "--sizes=1300x1100,1x20000"),
            ROOT / "examples" / "kitten.png",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    rows = [line.split(" | ") for line in run.stdout.splitlines()[2:]]
    assert [row[1:3] for row in rows] == [
        [size, job] for size in ("1300x1100", "1x20000") for job in JOBS
    ]
    ratios = [float(row[-1].rstrip(" |")) for row in rows]
    for larger in map(max, ratios[::2], ratios[1::2]):  # One check is for both jobs.
        assert 2 / 3 < larger < 1.5, run.stdout


JOBS = ("compress", "decompress")
