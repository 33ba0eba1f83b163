import sys

import pytest

from tf_imgcomp.classical import CODECS, ffmpeg
from tf_imgcomp.errors import ClassicalCodecError

ENDLESS = ["-f", "lavfi", "-re", "-i", "color=black", "-f", "rawvideo", "-"]


def test_what_takes_too_long_is_stopped():
    with pytest.raises(ClassicalCodecError, match="was stopped after 0.2 s"):
        ffmpeg.run(ENDLESS, b"", seconds=0.2)


def test_a_failure_is_told_in_ffmpegs_own_words():
    with pytest.raises(
        ClassicalCodecError, match="^FFmpeg: Unknown input format: 'nonsense'$"
    ):
        ffmpeg.run(["-f", "nonsense", "-i", "-", "-"], b"", seconds=60)


def test_no_output_is_a_failure():
    command = ["-f", "lavfi", "-i", "color=black", "-frames:v", "0", "-f", "null", "-"]
    with pytest.raises(ClassicalCodecError, match="exit code 0, no output"):
        ffmpeg.run(command, b"", seconds=60)


def test_a_stream_cannot_name_files(tmp_path):
    (tmp_path / "secret").write_bytes(bytes(100))
    playlist = f"ffconcat version 1.0\nfile {tmp_path / 'secret'}\n".encode()
    command = ["-f", "concat", "-safe", "0", "-i", "-", "-f", "rawvideo", "-"]
    message = "not on whitelist|Protocol|pass file descriptor"
    with pytest.raises(ClassicalCodecError, match=message):
        ffmpeg.run(command, playlist, seconds=60)


def test_a_wrong_path_is_named(monkeypatch, photo):
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", "/no/such/ffmpeg")
    message = "FFmpeg cannot be run: /no/such/ffmpeg: No such file or directory"
    assert CODECS["bpg"].available() == message
    with pytest.raises(ClassicalCodecError, match=message):
        CODECS["bpg"].encode(photo, 30)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    assert CODECS["vvc"].available() == (
        "imageio-ffmpeg is not installed: install tf_imgcomp with its extra 'classical'"
    )


def test_no_binary_for_the_machine_is_told(monkeypatch):
    def fail():
        raise RuntimeError("No ffmpeg exe could be found.")

    monkeypatch.setattr("imageio_ffmpeg.get_ffmpeg_exe", fail)
    assert "has no FFmpeg for this machine" in CODECS["bpg444"].available()


def test_a_missing_encoder_is_named():
    assert "has no libnone" in ffmpeg.missing("libnone")


def test_larger_pictures_may_take_longer():
    assert ffmpeg.time_limit(16, 16) < ffmpeg.time_limit(4000, 6000)
