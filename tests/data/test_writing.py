"""Atomic writing of files, by many writers at once."""

import errno
import os
import signal
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from tf_imgcomp.data import writing
from tf_imgcomp.data.writing import check_writable, open_atomically, write_atomically
from tf_imgcomp.errors import ImgcompError

FILES = 400
EXISTS = "exists: use --overwrite to replace it"


@pytest.fixture
def umask():
    before = os.umask(0o027)
    yield
    os.umask(before)


def content(number):
    """The expected content of file `number`, of a unique length."""
    return f"{number},".encode() * (100 + number)


def test_files_are_replaced_only_if_told(tmp_path):
    source, target, folder = (tmp_path / name for name in ("a.jpg", "b.png", "deep"))
    source.touch()
    target.touch()
    folder.mkdir()
    check_writable(tmp_path / "new", False, source)
    check_writable(target, True, source)
    with pytest.raises(ImgcompError, match=f"b.png {EXISTS}$"):
        check_writable(target, False, source)
    with pytest.raises(ImgcompError, match="^the result would replace its own input$"):
        check_writable(source, True, source)
    with pytest.raises(ImgcompError, match="deep exists and is not a file$"):
        check_writable(folder, True, source)


def test_threads_write_each_its_own_file(tmp_path):
    def write(number):
        path = tmp_path / str(number)
        write_atomically(path, content(number), overwrite=number % 2 == 0)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(FILES)))
    assert len(list(tmp_path.iterdir())) == FILES
    for number in range(FILES):
        assert (tmp_path / str(number)).read_bytes() == content(number)


WRITER = """
import os, sys
from pathlib import Path
from tf_imgcomp.data.writing import write_atomically
os.getpid = lambda: 1  # As the first process of each container.
for number in range(int(sys.argv[2]), 800, 2):
    data = f"{number},".encode() * (100 + number)
    write_atomically(Path(sys.argv[1], str(number)), data, overwrite=False)
"""


def test_processes_of_one_id_write_each_its_own_file(tmp_path):
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), str(first)])
        for first in range(2)
    ]
    assert [writer.wait() for writer in writers] == [0, 0]
    assert len(list(tmp_path.iterdir())) == 2 * FILES
    for number in range(2 * FILES):
        assert (tmp_path / str(number)).read_bytes() == content(number)


def test_one_of_many_writers_makes_a_new_file(tmp_path):
    path = tmp_path / "file"

    def write(number):
        try:
            write_atomically(path, content(number), overwrite=False)
        except ImgcompError as error:
            return str(error)
        return number

    with ThreadPoolExecutor(8) as pool:
        results = set(pool.map(write, range(64)))
    results.remove(f"{path} {EXISTS}")
    (written,) = results
    assert path.read_bytes() == content(written)
    assert list(tmp_path.iterdir()) == [path]


@pytest.fixture(params=["links", "no links"])
def file_system(request, monkeypatch):
    """One with hard links, and one without."""

    def fail(*_):
        raise OSError(errno.EPERM, "Operation not permitted")

    if request.param == "no links":
        monkeypatch.setattr("os.link", fail)


@pytest.mark.usefixtures("file_system")
def test_what_appears_meanwhile_is_not_replaced(tmp_path):
    new, path, dangling = (tmp_path / name for name in ("new", "file", "dangling"))

    def write(path, meanwhile):
        with open_atomically(path, overwrite=False) as file:
            file.write(b"ours")
            meanwhile()

    write(new, lambda: None)
    assert new.read_bytes() == b"ours"
    with pytest.raises(ImgcompError, match=f"file {EXISTS}$"):
        write(path, lambda: path.write_bytes(b"theirs"))
    assert path.read_bytes() == b"theirs"
    with pytest.raises(ImgcompError, match=f"dangling {EXISTS}$"):
        write(dangling, lambda: dangling.symlink_to("nowhere"))
    assert sorted(tmp_path.iterdir()) == [dangling, path, new]


def test_a_link_stays_and_its_target_is_replaced(tmp_path):
    link, target = tmp_path / "link", tmp_path / "deep" / "target"
    link.symlink_to("deep/target")
    (tmp_path / "deep").mkdir()
    with pytest.raises(ImgcompError, match=f"link {EXISTS}$"):
        check_writable(link, False, tmp_path / "photo")
    check_writable(link, True, tmp_path / "photo")
    for data in (b"of a dangling link", b"of another"):
        write_atomically(link, data, overwrite=True)
        assert link.is_symlink()
        assert target.read_bytes() == data
    assert list(target.parent.iterdir()) == [target]


def test_a_circle_of_links_is_an_error(tmp_path):
    link = tmp_path / "link"
    link.symlink_to("link")
    with pytest.raises(OSError, match="Too many levels of symbolic links.*link'$"):
        write_atomically(link, b"", overwrite=True)
    assert link.is_symlink()


@pytest.mark.usefixtures("umask")
def test_a_mode_is_kept_or_that_of_the_umask(tmp_path):
    path = tmp_path / "file"
    write_atomically(path, b"new", overwrite=False)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    for mode in (0o600, 0o664):
        path.chmod(mode)
        write_atomically(path, b"again", overwrite=True)
        assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.EIO, "broken")])
@pytest.mark.parametrize("overwrite", [False, True])
def test_files_are_written_whole_or_not_at_all(tmp_path, monkeypatch, error, overwrite):
    path = tmp_path / "new" / "file"
    write_atomically(path, b"one", overwrite=overwrite)
    write_atomically(path, b"two", overwrite=True)
    assert path.read_bytes() == b"two"

    def fail(*_):
        raise error

    monkeypatch.setattr("os.fsync", fail)
    other = path if overwrite else path.with_name("other")
    with pytest.raises(type(error), match=f"broken: '{other}'$|^$"):
        write_atomically(other, b"three", overwrite=overwrite)
    assert path.read_bytes() == b"two"
    assert list(path.parent.iterdir()) == [path]


KILLED = """
import sys, time
from pathlib import Path
from tf_imgcomp.data.writing import open_atomically
with open_atomically(Path(sys.argv[1]), overwrite=False) as file:
    print("open", flush=True)
    sys.stdin.read()
"""


def test_leftovers_of_killed_runs_are_cleared_and_no_others(tmp_path):
    command = [sys.executable, "-c", KILLED, str(tmp_path / "slow")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    killed, slow = (subprocess.Popen(command, **pipes) for _ in range(2))
    for run in (killed, slow):
        assert run.stdout.readline() == b"open\n"
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert len(list(tmp_path.iterdir())) == 2
    write_atomically(tmp_path / "file", b"", overwrite=False)
    left = [path.name for path in tmp_path.iterdir() if path.name != "file"]
    assert len(left) == 1
    slow.communicate()
    assert slow.returncode == 0
    assert {path.name for path in tmp_path.iterdir()} == {"file", "slow"}


def test_a_writer_tries_again_if_its_temporary_is_cleared(tmp_path, monkeypatch):
    flock = writing.fcntl.flock

    def lock_after_clearing(file, operation):
        monkeypatch.setattr("fcntl.flock", flock)
        for path in tmp_path.iterdir():
            path.unlink()  # As another process does that finds it unlocked.
        flock(file, operation)

    monkeypatch.setattr("fcntl.flock", lock_after_clearing)
    write_atomically(tmp_path / "file", b"all of it", overwrite=False)
    assert (tmp_path / "file").read_bytes() == b"all of it"
    assert len(list(tmp_path.iterdir())) == 1
