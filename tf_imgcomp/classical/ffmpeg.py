"""Runs FFmpeg of the imageio-ffmpeg package on pipes.

It includes x265, vvenc and decoders of HEVC and VVC. It is a separate program under the
GPL; the environment variable IMAGEIO_FFMPEG_EXE selects another FFmpeg.
"""

from __future__ import annotations

import functools
import re
import subprocess
import tempfile
from collections.abc import Sequence

from tf_imgcomp.errors import ClassicalCodecError

_ORIGIN = re.compile(r"^(\[[^]]*\] ?)+")  # Such as "[hevc @ 0x55809d4ea1c0] ".

# For every input: a stream must not name files or addresses. "-" is a descriptor.
_ONLY_PIPES = ("-protocol_whitelist", "pipe,fd")


def executable() -> str:
    """Returns the path of FFmpeg.

    Raises:
        ClassicalCodecError: If there is none.
    """
    try:
        import imageio_ffmpeg
    except ImportError:
        raise ClassicalCodecError(
            "imageio-ffmpeg is not installed: install tf_imgcomp with its extra "
            "'classical'"
        ) from None
    try:
        return imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError:
        raise ClassicalCodecError(
            "imageio-ffmpeg has no FFmpeg for this machine: install one and name it "
            "in IMAGEIO_FFMPEG_EXE"
        ) from None


def version() -> str:
    """Returns FFmpeg's version."""
    return _output(executable(), "-version").split()[2]


def missing(encoder: str) -> str | None:
    """Returns None, or a message for the user on why an encoder cannot be used."""
    try:
        if encoder in _output(executable(), "-encoders").split():
            return None
        return f"FFmpeg {version()} has no {encoder}; imageio-ffmpeg 0.8.1 includes it"
    except ClassicalCodecError as error:
        return str(error)


@functools.cache
def _output(path: str, option: str) -> str:
    return _run([path, option], b"", 60).decode(errors="replace")


def time_limit(height: int, width: int) -> float:
    """Returns the time limit for one picture, in seconds.

    vvenc's preset medium takes about 35 s per megapixel on one core.
    """
    return 60 + 400e-6 * height * width


def run(arguments: Sequence[str], data: bytes, seconds: float) -> bytes:
    """Runs FFmpeg on data and returns its standard output.

    Args:
        arguments: Arguments without the program.
        data: Bytes for its standard input.
        seconds: Time limit, after which it is killed.

    Raises:
        ClassicalCodecError: If it is missing, fails, writes nothing or takes longer.
    """
    command = [executable(), "-v", "error", "-nostdin", *_ONLY_PIPES, *arguments]
    return _run(command, data, seconds)


def _run(command: list[str], data: bytes, seconds: float) -> bytes:
    try:
        # Not a pipe: FFmpeg may stop reading early, and a broken pipe ends programs
        # that do not ignore its signal.
        with tempfile.TemporaryFile() as file:
            file.write(data)
            file.seek(0)
            result = subprocess.run(
                command, stdin=file, capture_output=True, timeout=seconds
            )
    except subprocess.TimeoutExpired:
        raise ClassicalCodecError(f"FFmpeg was stopped after {seconds:.3g} s") from None
    except OSError as error:
        raise ClassicalCodecError(
            f"FFmpeg cannot be run: {command[0]}: {error.strerror}"
        ) from None
    if result.returncode or not result.stdout:
        raise ClassicalCodecError(f"FFmpeg: {_reason(result)}")
    return result.stdout


def _reason(result: subprocess.CompletedProcess) -> str:
    """Returns the first line of FFmpeg's messages, which names the cause."""
    lines = result.stderr.decode(errors="replace").strip().split("\n")
    cause = _ORIGIN.sub("", lines[0]).strip()
    return cause or f"exit code {result.returncode}, no output"
