"""Atomic writing of files, by many writers at once."""

import errno
import fcntl
import os
import signal
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from tf_imgcomp.atomic_files import (
    abandon_all,
    check_writable,
    open_atomically,
    write_atomically,
)
from tf_imgcomp.errors import ImgcompError

FILES = 400
EXISTS = "exists: set overwrite to replace it"


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
from tf_imgcomp.atomic_files import write_atomically
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
    link.symlink_to("deep/target")  # A folder that does not exist yet.
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


@pytest.mark.parametrize("mode", [None, 0o644])
def test_only_the_user_reads_what_is_not_complete(tmp_path, mode):
    path = tmp_path / "file"
    if mode:
        path.touch()
        path.chmod(mode)
    with open_atomically(path, overwrite=True):
        (temporary,) = tmp_path.glob(".tf_imgcomp.*")
        assert stat.S_IMODE(temporary.stat().st_mode) == 0o600


def test_a_group_is_kept_or_gets_no_permission(tmp_path, monkeypatch):
    path, groups = tmp_path / "file", []
    path.touch()
    path.chmod(0o664)
    real = os.fstat

    def of_another_group(file):
        status = list(real(file))
        status[5] += 1
        return os.stat_result(status)

    monkeypatch.setattr("os.fstat", of_another_group)
    monkeypatch.setattr("os.fchown", lambda _, *ids: groups.append(ids))
    write_atomically(path, b"one", overwrite=True)
    assert groups == [(-1, path.stat().st_gid)]
    assert stat.S_IMODE(path.stat().st_mode) == 0o664

    def refuse(*_):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr("os.fchown", refuse)
    write_atomically(path, b"two", overwrite=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o604


def test_a_folder_that_cannot_be_written_to_is_told_early(tmp_path, monkeypatch):
    file, source = tmp_path / "file", tmp_path / "photo"
    file.touch()
    inside = file / "deep" / "b.png"
    message = "deep/b.png cannot be written: .*file is not a folder$"
    for overwrite in (False, True):
        with pytest.raises(ImgcompError, match=message):
            check_writable(inside, overwrite, source)
        with pytest.raises(ImgcompError, match=message):
            write_atomically(inside, b"", overwrite=overwrite)
    monkeypatch.setattr("os.access", lambda *_: False)
    message = f"new/b.png cannot be written: no permission for {tmp_path}$"
    with pytest.raises(ImgcompError, match=message):
        check_writable(tmp_path / "new" / "b.png", False, source)


def test_what_is_no_file_is_not_replaced(tmp_path):
    pipe, folder = tmp_path / "pipe", tmp_path / "folder"
    os.mkfifo(pipe)
    folder.mkdir()
    for path in (pipe, folder):
        with pytest.raises(ImgcompError, match=f"{path} exists and is not a file$"):
            write_atomically(path, b"", overwrite=True)


@pytest.mark.parametrize(
    "error", [ValueError("theirs"), OSError("no number"), OSError(28, "full", "other")]
)
def test_errors_of_the_caller_are_not_changed(tmp_path, error):
    def write():
        with open_atomically(tmp_path / "file", overwrite=False) as file:
            file.write(b"some of it")
            raise error

    with pytest.raises(type(error)) as raised:
        write()
    assert raised.value is error
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC])
def test_only_a_lack_of_links_is_gone_around(tmp_path, monkeypatch, number):
    def fail(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("os.link", fail)
    with pytest.raises(OSError, match=f"{os.strerror(number)}: '.*file'$"):
        write_atomically(tmp_path / "file", b"ours", overwrite=False)
    assert not list(tmp_path.iterdir())


def test_a_file_that_took_the_claimed_name_stays(tmp_path, monkeypatch):
    path = tmp_path / "file"

    def fail(*_):
        raise OSError(errno.EPERM, "Operation not permitted")

    def open_and_lose(file, flags, *mode):
        descriptor = real(file, flags, *mode)
        if file == path:
            (tmp_path / "theirs").write_bytes(b"theirs")
            os.replace(tmp_path / "theirs", path)
        return descriptor

    real = os.open
    monkeypatch.setattr("os.link", fail)
    monkeypatch.setattr("os.open", open_and_lose)
    with pytest.raises(ImgcompError, match=f"file {EXISTS}$"):
        write_atomically(path, b"ours", overwrite=False)
    assert path.read_bytes() == b"theirs"
    assert list(tmp_path.iterdir()) == [path]


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
from tf_imgcomp.atomic_files import open_atomically
with open_atomically(Path(sys.argv[1]), overwrite=False) as file:
    print("open", flush=True)
    sys.stdin.read()
"""


def make_old(path):
    os.utime(path, (1e9, 1e9))


def test_leftovers_of_killed_runs_are_cleared_and_no_others(tmp_path):
    command = [sys.executable, "-c", KILLED, str(tmp_path / "slow")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    killed, slow = (subprocess.Popen(command, **pipes) for _ in range(2))
    for run in (killed, slow):
        assert run.stdout.readline() == b"open\n"
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert len(list(tmp_path.iterdir())) == 2
    for path in tmp_path.iterdir():
        make_old(path)
    write_atomically(tmp_path / "file", b"", overwrite=False)
    left = [path.name for path in tmp_path.iterdir() if path.name != "file"]
    assert len(left) == 1
    slow.communicate()
    assert slow.returncode == 0
    assert {path.name for path in tmp_path.iterdir()} == {"file", "slow"}


def test_what_may_still_be_written_is_no_leftover(tmp_path):
    new, old, pipe, link = (tmp_path / f".tf_imgcomp.{n}.tmp" for n in range(4))
    for path in (new, old):
        path.touch()
    os.mkfifo(pipe)
    link.symlink_to(tmp_path / "other")
    (tmp_path / "other").touch()
    for path in (old, pipe, link):
        make_old(path)
    write_atomically(tmp_path / "file", b"", overwrite=False)
    assert set(tmp_path.iterdir()) - {new, pipe, link} == {
        *(tmp_path / name for name in ("file", "other"))
    }


def test_a_locked_temporary_is_left_for_another_name(tmp_path, monkeypatch):
    flock, tried = fcntl.flock, []

    def lock_as_a_reader_does(file, operation):
        tried.append(file)
        if len(tried) < 3:
            raise BlockingIOError
        flock(file, operation)

    monkeypatch.setattr("fcntl.flock", lock_as_a_reader_does)
    write_atomically(tmp_path / "file", b"ours", overwrite=False)
    assert len(tried) == 3
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]

    def never(*_):
        raise BlockingIOError

    monkeypatch.setattr("fcntl.flock", never)
    with pytest.raises(OSError, match="Other programs lock every new file.*'.*two'$"):
        write_atomically(tmp_path / "two", b"", overwrite=False)
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_a_writer_tries_again_if_its_temporary_is_cleared(tmp_path, monkeypatch):
    flock = fcntl.flock

    def lock_after_clearing(file, operation):
        monkeypatch.setattr("fcntl.flock", flock)
        for path in tmp_path.iterdir():
            path.unlink()  # As another process does that finds it unlocked.
        flock(file, operation)

    monkeypatch.setattr("fcntl.flock", lock_after_clearing)
    write_atomically(tmp_path / "file", b"all of it", overwrite=False)
    assert (tmp_path / "file").read_bytes() == b"all of it"
    assert len(list(tmp_path.iterdir())) == 1


def test_files_that_threads_are_writing_can_be_abandoned(tmp_path):
    def write():
        with open_atomically(tmp_path / "a", overwrite=False):
            assert len(list(tmp_path.iterdir())) == 1
            abandon_all()
            assert not list(tmp_path.iterdir())

    with pytest.raises(FileNotFoundError, match="No such file"):
        write()
    assert not list(tmp_path.iterdir())
