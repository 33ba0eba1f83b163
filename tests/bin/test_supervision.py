"""A process that ends suddenly costs one file; signals reach the process that works."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest

PROGRAM = """
import os, signal, sys, time
from pathlib import Path
from tf_imgcomp_bin.command_line import file_jobs, program
from tf_imgcomp_bin.command_line.supervision import course
from tf_imgcomp.errors import ImgcompError

ends = {"abort": os.abort, "kill": lambda: os.kill(os.getpid(), signal.SIGKILL)}

def work(source, target):
    with open("log", "a") as log:
        print(source, os.getpid(), file=log)
    name = source.name.partition("-")[0]
    if name in ends:
        time.sleep(0.3)  # The others in work are done by then.
        ends[name]()
    if name == "crowd" and not Path("ended").exists():
        Path("ended").touch()
        time.sleep(600)
    if name == "crowded":
        while not Path("ended").exists():
            time.sleep(0.01)
        if Path("ended").read_text() == "":
            Path("ended").write_text("once")
            os.abort()
    if source == Path("-"):
        time.sleep(600)
    if name == "wait":
        time.sleep(600)
    if name == "written" and not target.exists():
        target.write_text("whole")
        os.abort()
    if name == "clumsy":
        try:
            time.sleep(600)
        except KeyboardInterrupt:
            os.abort()
    if name == "unloadable":
        time.sleep(600)
    if name == "stubborn":
        try:
            time.sleep(600)
        except KeyboardInterrupt:  # As TensorFlow's callbacks do.
            Path("interrupted").touch()
            time.sleep(600)
    if name == "fails":
        raise ImgcompError("as it should")
    return f"{source} done"

def main(argv):
    _, at_once, *names = argv
    if at_once == "abort":
        os.abort()
    jobs = {Path(name): Path(f"{name}.out") for name in names}
    if "unloadable" in names and course.one_at_a_time:
        os.abort()
    course.once("search", lambda: print("searched", file=open("searches", "a")))
    loop = lambda: file_jobs.each_file("compress", jobs, work, int(at_once))
    return program.guard("compress", loop)

program.run("compress", main, in_child=True)
"""
SECONDS = 60  # For a busy machine.


@pytest.fixture
def start(tmp_path):
    """Starts the program with names of files; it works at some of them at once."""

    def start(at_once, *names, stderr=subprocess.PIPE):
        return subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(at_once), *names],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            cwd=tmp_path,
        )

    return start


def log(tmp_path, count=0) -> list:
    """Name and process of each work that began, once there are `count`."""
    for _ in range(100 * SECONDS):
        path = tmp_path / "log"
        lines = path.read_text().splitlines() if path.exists() else []
        if len(lines) >= count:
            return [line.split() for line in lines]
        time.sleep(0.01)
    raise TimeoutError


@pytest.mark.parametrize("at_once", [1, 2, 3])
@pytest.mark.parametrize(("end", "name"), [("abort", "SIGABRT"), ("kill", "SIGKILL")])
def test_a_sudden_end_costs_one_file(start, tmp_path, end, name, at_once):
    files = ["1", f"{end}-a", "2", "fails", "3", "4", f"{end}-b", f"{end}-c", "5"]
    out, err = (running := start(at_once, *files)).communicate(timeout=SECONDS)
    assert running.returncode == 1
    assert out.splitlines() == [f"{number} done" for number in range(1, 6)]
    lines = [line for line in err.splitlines() if line.startswith("bin/compress: ")]
    cause = f"ended by {name}, most likely because there was too little memory"
    expected = [f"{end}-{letter}: {cause}" for letter in "abc"]
    expected.append("fails: as it should")
    assert sorted(lines) == sorted(f"bin/compress: {each}" for each in expected)
    # What was done is not done again.
    begun = [name for name, _ in log(tmp_path)]
    assert all(begun.count(str(number)) == 1 for number in range(1, 5))


def test_all_is_told_in_the_order_of_the_files(start, tmp_path):
    files = ["1", "abort-a", "2", "fails", "3"]
    running = start(2, *files, stderr=subprocess.STDOUT)
    out, _ = running.communicate(timeout=SECONDS)
    told = ["1 done", "abort-a: ended", "2 done", "fails: as it should", "3 done"]
    positions = [out.index(text) for text in told]
    assert positions == sorted(positions)


def test_a_file_that_was_written_has_not_failed(start):
    out, err = (running := start(1, "written", "1")).communicate(timeout=SECONDS)
    assert running.returncode == 0
    assert out.splitlines() == [
        "written -> written.out: written; its process ended before it could tell more",
        "1 done",
    ]


def test_standard_input_is_not_read_again(start):
    out, err = (running := start(2, "-", "abort-a", "1")).communicate(timeout=SECONDS)
    assert (running.returncode, out) == (1, "1 done\n")
    assert re.search(r"bin/compress: -: ended by .*cannot be read a second time", err)
    assert "bin/compress: abort-a: ended by SIGABRT" in err


def test_what_is_done_is_told_if_no_process_can_go_on(start):
    files = ["unloadable", "1", "abort-a"]
    out, err = (running := start(2, *files)).communicate(timeout=SECONDS)
    assert (running.returncode, out) == (1, "")
    assert [line.partition(": ")[2] for line in err.splitlines() if "bin/" in line] == [
        "1: done",
        "ended by SIGABRT, most likely because there was too little memory; the files "
        "not named here are not done",
    ]


def test_an_interruption_is_not_lost_in_a_sudden_end(start, tmp_path):
    running = start(1, "clumsy", "1")
    log(tmp_path, 1)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=SECONDS)
    assert (running.returncode, out, err) == (130, "", "bin/compress: interrupted\n")


def test_what_is_computed_once_is_not_computed_again(start, tmp_path):
    start(1, "abort-a", "1").communicate(timeout=SECONDS)
    assert (tmp_path / "searches").read_text() == "searched\n"


def test_an_interruption_can_be_repeated(start, tmp_path):
    running = start(1, "stubborn")
    log(tmp_path, 1)
    running.send_signal(signal.SIGINT)
    while not (tmp_path / "interrupted").exists():
        time.sleep(0.01)
    time.sleep(1.5)  # More than the time in which signals count once.
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=SECONDS)
    assert running.returncode == 130


def test_files_that_succeed_alone_have_not_failed(start):
    files = ["1", "crowded", "crowd", "2"]
    out, err = (running := start(2, *files)).communicate(timeout=SECONDS)
    assert out.splitlines() == [f"{name} done" for name in files]
    assert running.returncode == 0
    assert "bin/compress" not in err


def test_a_sudden_end_before_the_first_file_is_told(start):
    _, err = (running := start("abort", "1")).communicate(timeout=SECONDS)
    assert running.returncode == 1
    assert "bin/compress: ended by SIGABRT, most likely" in err


@pytest.mark.parametrize(
    ("files", "code"), [(["1"], 0), (["fails"], 1), (["fails", "1"], 1)]
)
def test_the_exit_code_is_the_one_of_the_program(start, files, code):
    running = start(1, *files)
    running.communicate(timeout=SECONDS)
    assert running.returncode == code


@pytest.mark.parametrize("whole_group", [False, True])
def test_an_interruption_ends_both_processes(start, tmp_path, whole_group):
    """A terminal sends the signal to both; `kill` only to the one that was started."""
    running = start(1, "wait", "1")
    ((_, worker),) = log(tmp_path, 1)
    if whole_group:
        os.kill(int(worker), signal.SIGINT)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=2)
    assert (running.returncode, out) == (130, "")
    assert err.splitlines() == ["bin/compress: interrupted"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_no_process_stays_behind(start, tmp_path, number):
    running = start(1, "wait", "1")
    log(tmp_path, 1)
    running.send_signal(number)
    running.communicate(timeout=SECONDS)  # Until all have closed standard output.
    assert running.returncode == -number
