"""Hostile files with right checksums: each is decoded or refused, in time and memory.

Mutants change the fields of a file, or bytes inside of its strings, and are packed
again, so that the readers behind the CRC see them. Whatever happens must be a picture
or an `ImgcompError`.
"""

import contextlib
import dataclasses
import os
import random
import signal
import struct
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest

from tests.stub_codec import StubCodec
from tf_imgcomp import bitstream, size_limits
from tf_imgcomp.classical import ffmpeg
from tf_imgcomp.errors import ImgcompError
from tf_imgcomp.files.encoding import PhotoEncoder, decode
from tf_imgcomp.image_codecs import models
from tf_imgcomp.image_codecs.classical import CLASSICAL_CODECS, ClassicalImageCodec
from tf_imgcomp.image_codecs.filtered import FilteredCodec
from tf_imgcomp.image_codecs.workers import Workers
from tf_imgcomp.image_files.images import Photo, write_image
from tf_imgcomp.regions import Region

# Number of mutants in the ordinary suite, and in the slow one: 1000 and 20,000.
PILLOW = [
    name for name in CLASSICAL_CODECS if name.startswith(("jpeg", "webp", "avif"))
]
COUNTS = {
    "stub": (480, 6000),
    "tiny": (40, 2500),
    "filtered": (150, 3000),
    **dict.fromkeys(PILLOW, (50, 1200)),
    "bpg": (15, 650),
    "vvc_fast": (15, 650),
}
SECONDS = 30  # CPU time at most for a mutant, which other load hardly changes.
SECONDS_OF_WAITING = 10 * SECONDS  # Of the clock, for what hangs without computing.
# Bytes. Enough for pictures a few times larger, beside what TensorFlow takes.
AVAILABLE = int(size_limits.DECODER_BASE + 125e6)
MOST_MEMORY = 1.5 * AVAILABLE
PROCESS = Path("/proc/self")
EDGES = (0, 1, 2, 63, 64, 65, 127, 128, 255, 256, 2**16 - 1, 2**31, 2**32 - 1, 2**40)


def test_the_numbers_of_mutants_are_those_promised():
    assert [sum(counts) for counts in zip(*COUNTS.values())] == [1000, 20_000]


# An FFmpeg that notes how many KiB it took at most. A process counts as large as its
# parent until it starts FFmpeg, so a small one stands between the tests and FFmpeg.
MEASURED_FFMPEG = """#!{python} -ES
import resource, subprocess, sys
code = subprocess.call([{ffmpeg!r}, *sys.argv[1:]])
with open({peaks!r}, "a") as file:
    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=file)
sys.exit(code)
"""


class Negative:
    """A stub of `SavedFilter`."""

    id, card, fingerprint = "stub+negative", {}, 5
    bytes_per_pixel, tile, border = 30.0, 64, 4
    encoder_base = decoder_base = 0.0

    def __call__(self, pixels, setting, ensemble="none"):
        return 255 - pixels


class Mutator:
    """Makes hostile files from an intact one.

    Args:
        file: the intact file.
        seed: of all choices.
    """

    def __init__(self, file, seed):
        self._file, self._random = file, random.Random(seed)

    def region(self):
        return Region(*(self._random.choice((-1, 0, 1, 30, 64, 99)) for _ in range(4)))

    def __call__(self) -> bytes:
        file = self._file
        for _ in range(self._random.choice((1, 1, 1, 2, 4))):
            file = self._random.choice(self._changes())(file)
        data = bytearray(bitstream.pack(file))
        return self._with_other_header(data) if self._chance(0.2) else bytes(data)

    def _changes(self):
        strings = self._change_tile, self._change_tile, self._change_tile
        return (*strings, self._change_number, self._change_tiles, self._change_block)

    def _chance(self, probability):
        return self._random.random() < probability

    def _change_number(self, file):
        name, limit = self._random.choice(
            [("height", 2**62), ("width", 2**62), ("fingerprint", 2**16)]
            + [("variant", 2**8), ("tile", 256), ("quality", 2**16), ("grey", 2)]
        )
        value = getattr(file, name) + self._random.choice((-64, -1, 1, 64))
        if self._chance(0.7):
            value = self._random.choice((*EDGES, self._random.randrange(limit)))
        value = int(max(value, 0)) % limit
        if name == "tile":
            value *= 64
        return dataclasses.replace(
            file, **{name: value / 100 if name == "quality" else value}
        )

    def _change_tile(self, file):
        name = self._random.choice(["first", "rest", "alpha"])
        tiles = list(getattr(file, name) or ())
        if not tiles:
            return file
        number = self._random.randrange(len(tiles))
        tiles[number] = self._changed(tiles[number])
        return dataclasses.replace(file, **{name: tuple(tiles)})

    def _change_tiles(self, file):
        """Other numbers of tiles, and parts that are missing or too many."""
        name = self._random.choice(["first", "rest", "alpha"])
        tiles = getattr(file, name)
        if tiles is None:
            return dataclasses.replace(file, **{name: file.first})
        others = (tiles[1:], tiles + tiles[:1], tiles[::-1], tiles * 50, ())
        options = others if name == "first" else (*others, None)
        return dataclasses.replace(file, **{name: self._random.choice(options)})

    def _change_block(self, file):
        blocks = list(file.blocks)
        kind = self._random.choice((0, 1, 2, 3, 4, 5, 6, 300))
        if blocks and self._chance(0.7):
            number = self._random.randrange(len(blocks))
            kind, data = blocks[number]
            blocks[number] = (kind, self._changed(data))
        else:
            bomb = b"\1" + zlib.compress(bytes(2**22))
            blocks.append((kind, self._random.choice((b"", b"\0", b"\1x", bomb))))
        return dataclasses.replace(file, blocks=tuple(blocks))

    def _changed(self, data):
        """Some bytes flipped, left out, repeated or set."""
        data, choose = bytearray(data or b"\0"), self._random
        at, size = choose.randrange(len(data)), choose.choice((1, 1, 2, 4, 16))
        kind = choose.randrange(6)
        if kind == 0:
            data[at] ^= 1 << choose.randrange(8)
        elif kind == 1:
            data[at : at + size] = choose.randbytes(size)
        elif kind == 2:
            del data[at : at + size]
        elif kind == 3:
            data[at:at] = data[at : at + size] * choose.choice((1, 100))
        elif kind == 4:
            data[at : at + size] = choose.choice((b"\0", b"\xff", b"\x7f")) * size
        else:
            del data[at:]
        return bytes(data)

    def _with_other_header(self, data):
        """A byte of the header changed in place, and the CRCs again right."""
        first = bitstream.first_part_size(bytes(data))
        data[self._random.randrange(min(80, first - 4))] = self._random.randrange(256)
        data[first - 4 : first] = struct.pack("<I", zlib.crc32(data[: first - 4]))
        if first < len(data):
            data[-4:] = struct.pack("<I", zlib.crc32(data[:-4]))
        return bytes(data)


@pytest.fixture
def get_codec(tiny_model):
    def get(kind):
        if kind == "stub":
            return StubCodec()
        if kind == "tiny":
            return models.load(str(tiny_model), Workers(1))
        if kind == "filtered":
            return FilteredCodec(StubCodec(), Negative(), Workers(1))
        if missing := CLASSICAL_CODECS[kind].available():
            pytest.skip(missing)
        return ClassicalImageCodec(kind)

    return get


@pytest.fixture
def measured_ffmpeg(monkeypatch, tmp_path):
    """A function that measures FFmpeg from now on, and returns where: KiB a line."""

    def measure():
        program, peaks = tmp_path / "ffmpeg", tmp_path / "peaks.txt"
        program.write_text(
            MEASURED_FFMPEG.format(
                python=sys.executable, ffmpeg=ffmpeg.executable(), peaks=str(peaks)
            )
        )
        program.chmod(0o755)
        monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(program))
        return peaks

    return measure


@pytest.fixture
def attack(get_codec, make_image, monkeypatch, tmp_path, measured_ffmpeg):
    """A function that decodes mutants, and returns why some were refused."""

    def attack(kind, count, seed):
        codec = get_codec(kind)
        peaks = measured_ffmpeg() if kind in ("bpg", "vvc_fast") else None
        alpha = np.full((70, 90), 255, np.uint8)
        alpha[:20] = np.arange(90)
        text = (("Title", "text"),)
        photo = Photo(make_image(70, 90), False, alpha, b"icc", b"II*\0", b"<x/>")
        photo = dataclasses.replace(photo, dpi=(72.0, 72.0), text=text)
        intact = PhotoEncoder(photo)(codec, 50).file
        decode(codec, intact)  # TensorFlow allocates what stays.
        monkeypatch.setattr(size_limits, "available_memory", lambda: AVAILABLE)
        mutator = Mutator(intact, seed)
        with monkeypatch.context() as lenient:  # All files can be packed.
            lenient.setattr(bitstream, "_check", lambda file: None)
            mutants = [mutator() for _ in range(count)]
        refusals: list[str] = []
        with little_memory():
            for number, data in enumerate(mutants):
                start = _cpu_seconds()
                try:
                    with limited_time(f"mutant {number} hangs: {data.hex()}"):
                        _decode(codec, data, mutator.region(), number, tmp_path)
                except ImgcompError as error:
                    refusals.append(str(error))
                except Exception as error:
                    pytest.fail(f"mutant {number}: {error!r} of {data.hex()}")
                assert _cpu_seconds() - start < SECONDS, (number, data.hex())
        if peaks:
            assert 0 < max(map(int, peaks.read_text().split())) * 1024 < MOST_MEMORY
        assert not any("\n" in refusal for refusal in refusals)
        return refusals

    return attack


@contextlib.contextmanager
def little_memory():
    """Checks the peak of what a block adds to the memory of this process."""
    if not (PROCESS / "clear_refs").exists():  # Linux only.
        yield
        return
    (PROCESS / "clear_refs").write_text("5")  # Forgets the peak until now.
    before = _resident("VmRSS")
    yield
    assert _resident("VmHWM") - before < MOST_MEMORY


@contextlib.contextmanager
def limited_time(message, seconds=SECONDS_OF_WAITING):
    """Fails the test if a block takes longer; no `except Exception` stops that."""
    before = signal.signal(signal.SIGALRM, lambda *_: pytest.fail(message))
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _cpu_seconds():
    """Of this process and of the programs that it waited for."""
    return sum(os.times()[:4])


def _resident(field):
    """Resident bytes of this process: VmRSS now, VmHWM at most."""
    lines = (PROCESS / "status").read_text().splitlines()
    (kib,) = (line.split()[1] for line in lines if line.startswith(field))
    return int(kib) * 1024


def _decode(codec, data, region, number, folder):
    """Decodes a file whole, in part or as a preview, and sometimes writes it."""
    way = number % 8
    if way == 0:
        file, _ = bitstream.salvage(data)
        decode(codec, file, scale=4)
    elif way == 1:
        decode(codec, bitstream.unpack(data), region)
    else:
        photo = decode(codec, bitstream.unpack(data))
        if way == 2:
            write_image(folder / "image.png", photo, overwrite=True)


def test_much_memory_is_noticed():
    with pytest.raises(AssertionError), little_memory():
        np.ones(2 * AVAILABLE, np.uint8).sum()
    with little_memory():
        np.ones(AVAILABLE, np.uint8).sum()


def test_a_hang_is_noticed():
    with pytest.raises(pytest.fail.Exception, match="^it hangs$"):
        with limited_time("it hangs", 0.1), contextlib.suppress(Exception):
            time.sleep(60)


@pytest.mark.parametrize("kind", COUNTS)
def test_hostile_files_are_decoded_or_refused(attack, kind):
    count, _ = COUNTS[kind]
    assert 0 < len(attack(kind, count, seed=1)) < count


@pytest.mark.slow
@pytest.mark.parametrize("kind", COUNTS)
def test_very_many_hostile_files_are_decoded_or_refused(attack, kind):
    _, count = COUNTS[kind]
    assert 0 < len(attack(kind, count, seed=2)) < count
