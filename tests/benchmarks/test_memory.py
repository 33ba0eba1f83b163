"""The check of memory allows what coding takes, by the program that measures it."""

import subprocess
import sys

import pytest

from tests.programs import ROOT

JOBS = ("compress", "decompress")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
@pytest.mark.parametrize(
    ("model", "sizes", "ensemble"),
    [
        # Four tiles; thin, so padded to 64.
        ("fdram", ("1300x1100", "1x20000"), "none"),
        ("mfca_pmcn", ("1300x1100", "1x20000"), "none"),
        ("cheng2020", ("768x512",), "none"),
        *(
            (name, ("2048x1363",), "none")
            for name in ("avif", "jpeg2000", "webp", "bpg")
        ),
        ("vvc_fast+xue2019", ("1300x1100",), "none"),
        ("vvc_fast+xue2019", ("384x256",), "flips"),
    ],
)
def test_peaks_of_memory_are_those_that_the_check_allows(model, sizes, ensemble):
    run = subprocess.run(
        [
            *(sys.executable, ROOT / "benchmarks" / "memory.py"),
            *(f"--models={model}", f"--sizes={','.join(sizes)}"),
            f"--ensemble={ensemble}",
            ROOT / "examples" / "kitten.png",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    rows = [line.split(" | ") for line in run.stdout.splitlines()[2:]]
    assert [row[1:3] for row in rows] == [[size, job] for size in sizes for job in JOBS]
    for row in rows:
        assert 2 / 3 < float(row[-1].rstrip(" |")) < 1.5, run.stdout
