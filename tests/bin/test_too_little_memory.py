"""Memory that runs out while TensorFlow computes: one file fails, with one line."""

import subprocess
import sys

import pytest
from PIL import Image

# In a process of its own, which takes the first file as its measure: then it may take
# less beyond that than a tile needs.
PROGRAM = """
import resource
import sys
from pathlib import Path

from tf_imgcomp.files.compression import compress_file, decompress_file
from tf_imgcomp.files.goals import Goal
from tf_imgcomp.image_codecs import models
from tf_imgcomp.image_codecs.workers import Workers
from tf_imgcomp_bin import command_line

program, limited, *names = sys.argv[1:]
codec = models.load("fdram", Workers(1))

def work(source, target):
    if program == "compress":
        report = compress_file(codec, source, target, Goal(quality=50.0))
    else:
        report = decompress_file(lambda _: codec, source, target)
    if limited == "yes" and source.stem == "1":
        size = int(Path("/proc/self/statm").read_text().split()[0])
        limit = size * resource.getpagesize() + 50_000_000
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    return report

suffix = ".tfci" if program == "compress" else ".ppm"
jobs = {Path(name): Path(name).with_suffix(suffix) for name in names}
raise SystemExit(command_line.each_file(program, jobs, work))
"""


def run(folder, program, limited, *names):
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, program, limited, *names],
        cwd=folder,
        capture_output=True,
        text=True,
    )


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_a_file_without_memory_does_not_stop_the_others(tmp_path, make_image):
    for name, size in (("1", 64), ("2", 1024), ("3", 64)):
        Image.fromarray(make_image(size, size)).save(tmp_path / f"{name}.png")
    for program, suffix in (("compress", ".png"), ("decompress", ".tfci")):
        names = [f"{number}{suffix}" for number in (1, 2, 3)]
        done = run(tmp_path, program, "yes", *names)
        assert done.returncode == 1
        assert done.stderr == f"bin/{program}: {names[1]}: not enough memory\n"
        assert [line.split()[0] for line in done.stdout.splitlines()] == names[::2]
        if program == "compress":
            assert run(tmp_path, program, "no", names[1]).returncode == 0
