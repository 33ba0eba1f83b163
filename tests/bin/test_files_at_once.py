"""Several files in work at the same time: order, errors, interruption, memory."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from absl.testing import flagsaver
from PIL import Image

from tf_imgcomp import size_limits
from tf_imgcomp.errors import ImgcompError
from tf_imgcomp_bin import compress, decompress
from tf_imgcomp_bin.command_line import file_jobs
from tf_imgcomp_bin.command_line.program import parse

SECONDS = 60  # Far more than any step takes.


def jobs(*names):
    return {Path(name): Path(name + ".out") for name in names}


def test_files_are_in_work_together_and_told_in_order(capsys):
    second_is_done = threading.Event()

    def work(source, target):
        if source.name == "1":
            assert second_is_done.wait(SECONDS)
        second_is_done.set()
        return f"{source} {target}"

    assert file_jobs.each_file("compress", jobs("1", "2", "3"), work, 2) == 0
    assert capsys.readouterr().out == "1 1.out\n2 2.out\n3 3.out\n"


@pytest.mark.parametrize("at_once", [1, 2])
def test_a_file_that_fails_does_not_stop_the_others(at_once, capsys):
    def work(source, target):
        if source.name == "2":
            raise ImgcompError("bad")
        return f"{source}"

    files = {**jobs("1", "2", "3"), Path("4"): Path("1.out")}
    assert file_jobs.each_file("compress", files, work, at_once) == 1
    out, err = capsys.readouterr()
    assert out == "1\n3\n"
    first, second = err.splitlines()
    assert first == "bin/compress: 2: bad"
    assert second == "bin/compress: 4: 1.out is the output of 1 already"


def test_an_interruption_leaves_out_files_that_wait():
    seen, interrupted = [], threading.Event()

    def work(source, target):
        seen.append(source.name)
        if source.name == "1":
            raise KeyboardInterrupt
        assert interrupted.wait(SECONDS)
        return ""

    names = [str(number) for number in range(1, 50)]
    with pytest.raises(KeyboardInterrupt):
        file_jobs.each_file("compress", jobs(*names), work, 2)
    interrupted.set()
    assert len(seen) < 5


@pytest.mark.parametrize(
    ("count", "threads", "at_once"), [(9, 1, 1), (9, 2, 3), (9, 9, 3), (2, 2, 2)]
)
def test_one_thread_codes_one_photo_at_a_time(count, threads, at_once):
    assert file_jobs.photos_at_once(count, threads) == at_once


def test_photos_come_out_as_one_by_one(stub, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = [f"{number}.png" for number in range(6)]
    for number, name in enumerate(names):
        # Noise, as in photos: what looks drawn gets another codec.
        rng, size = np.random.default_rng(number), (20 + number, 30, 3)
        pixels = rng.integers(100, 150, size, dtype=np.uint8)
        Image.fromarray(pixels).save(name)
    for threads in 1, 2:
        flags = f"--threads={threads}", f"--output=out{threads}/"
        for program, inputs in ((compress, names), (decompress, [f"out{threads}"])):
            with flagsaver.flagsaver():
                argv = [program.PROGRAM, *flags, *inputs]
                arguments = parse(program.PROGRAM, argv)
                assert program.main(arguments) == 0
            lines = capsys.readouterr().out.splitlines()
            assert [Path(line.split(" -> ")[0]).stem for line in lines] == [
                Path(name).stem for name in names
            ]
    for path in Path("out1").iterdir():
        assert path.read_bytes() == Path("out2", path.name).read_bytes()


def test_an_image_waits_for_memory_that_another_has(monkeypatch):
    monkeypatch.setattr(size_limits, "available_memory", lambda: 100)
    order, first_is_in_work = [], threading.Event()

    def work(name, size):
        with size_limits.shared(lambda height, width: size * height * width) as needed:
            assert needed(2, 3) == 6 * size
            order.append(f"{name} starts")
            first_is_in_work.set()
            if name == "first":
                assert second_may_fit.wait(SECONDS)
            order.append(f"{name} ends")

    second_may_fit = threading.Event()
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(work, "first", 10)
        assert first_is_in_work.wait(SECONDS)
        second = threads.submit(work, "second", 10)
        assert not second.done()
        second_may_fit.set()
        first.result(), second.result()
    assert order == ["first starts", "first ends", "second starts", "second ends"]


def test_small_images_share_memory_and_a_large_one_comes_alone(monkeypatch):
    monkeypatch.setattr(size_limits, "available_memory", lambda: 100)
    with size_limits.shared(lambda height, width: 40.0) as first:
        first(1, 1)
        with size_limits.shared(lambda height, width: 60.0) as second:
            second(1, 1)
    with size_limits.shared(lambda height, width: 1000.0) as alone:
        assert alone(1, 1) == 1000  # To be refused by `check_memory`.
