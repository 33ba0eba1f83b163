"""The `.tfci` file: round trips, and damaged files are refused."""

import dataclasses
import random
import re
import tracemalloc
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tf_imgcomp.bitstream import (
    EXIF,
    ICC,
    TfciFile,
    first_part_size,
    pack,
    salvage,
    unpack,
)
from tf_imgcomp.errors import BitstreamError
from tf_imgcomp.regions import tile_count

ROOT = Path(__file__).parents[1]

# Everything that a file can have: six tiles, two parts, transparency, metadata.
FULL = TfciFile(
    codec="fdram",
    fingerprint=0x1234,
    height=100,
    width=150,
    quality=41.5,
    tile=64,
    first=(b"\x01\x02", b"", b"abc", b"d", b"e", b"f"),
    rest=(b"", b"r", b"", b"", b"est", b""),
    variant=2,
    grey=True,
    alpha=(b"", b"\0alpha", b"", b"", b"", b"\0"),
    blocks=((ICC, b"\0icc"), (EXIF, b"\0exif"), (300, b"?")),
)
# And nothing of that.
BARE = TfciFile("bpg", 0, 5, 300, 50.0, 0, (b"stream",))
BOTH = pytest.mark.parametrize("file", [FULL, BARE], ids=["full", "bare"])


@st.composite
def files(draw):
    """Files of up to 20 tiles, or of one tile of any size."""
    side = draw(st.sampled_from((64, 128, 16320)))
    height, width = draw(st.tuples(st.integers(1, 300), st.integers(1, 256)))
    if draw(st.booleans()):
        side = 0
        height, width = draw(st.tuples(*[st.integers(1, 2**32 - 1)] * 2))
    count = tile_count(height, width, side)
    tiles = st.lists(st.binary(max_size=200), min_size=count, max_size=count).map(tuple)
    kinds = st.dictionaries(st.integers(1, 2**63 - 1), st.binary(min_size=1))
    return TfciFile(
        codec=draw(st.from_regex(r"[a-z0-9][a-z0-9_.+-]{0,63}", fullmatch=True)),
        fingerprint=draw(st.integers(0, 2**16 - 1)),
        height=height,
        width=width,
        quality=draw(st.integers(100, 10000)) / 100,
        tile=side,
        first=draw(tiles),
        rest=draw(st.none() | tiles),
        variant=draw(st.integers(0, 255)),
        grey=draw(st.booleans()),
        alpha=draw(st.none() | tiles.filter(any)),
        blocks=tuple(sorted(draw(kinds).items())),
    )


def with_crcs(data):
    """Returns the bytes with right CRCs at the end of both parts."""
    data = bytearray(data)
    for end in sorted({min(first_part_size(data), len(data)), len(data)}):
        data[end - 4 : end] = zlib.crc32(data[: end - 4]).to_bytes(4, "little")
    return bytes(data)


def check_unique(data, first_part=False):
    """Checks that a file is refused, or that no other bytes give the same fields."""
    try:
        file = unpack(data, first_part)
    except BitstreamError:
        return
    assert first_part or pack(file) == data


@given(files())
def test_what_is_packed_is_unpacked(file):
    assert unpack(pack(file)) == file


@given(files())
def test_the_first_part_is_enough_for_a_preview(file):
    data, preview = pack(file), dataclasses.replace(file, rest=None)
    size = first_part_size(data)
    assert (size == len(data)) == (file.rest is None)
    assert first_part_size(data[:size]) == size
    for end in {size, (size + len(data)) // 2, len(data)}:
        assert unpack(data[:end], first_part=True) == preview


@given(st.binary(max_size=100), st.booleans())
def test_other_bytes_are_refused(data, first_part):
    with pytest.raises(BitstreamError):
        unpack(data, first_part)


@BOTH
@pytest.mark.parametrize("first_part", [False, True])
def test_every_flipped_byte_is_refused(file, first_part):
    """For a preview, every byte of the first part; those after it are not read."""
    data = pack(file)
    chance = random.Random(0)
    for position in range(first_part_size(data) if first_part else len(data)):
        for mask in (*(1 << bit for bit in range(8)), 0xFF, chance.randrange(1, 256)):
            damaged = bytearray(data)
            damaged[position] ^= mask
            with pytest.raises(BitstreamError):
                unpack(bytes(damaged), first_part)


def test_what_follows_the_first_part_does_not_matter_for_a_preview():
    data, preview = pack(FULL), dataclasses.replace(FULL, rest=None)
    size = first_part_size(data)
    for position in range(size, len(data)):
        damaged = bytearray(data)
        damaged[position] ^= 0xFF
        assert unpack(bytes(damaged), first_part=True) == preview


@BOTH
def test_every_cut_is_refused_but_for_a_preview(file):
    data = pack(file)
    enough, preview = first_part_size(data), dataclasses.replace(file, rest=None)
    for size in range(enough):
        for first_part in (False, True):
            with pytest.raises(BitstreamError):
                unpack(data[:size], first_part)
    for size in range(enough, len(data)):
        message = "^cut: .* its first part is whole: a preview is possible$"
        with pytest.raises(BitstreamError, match=message):
            unpack(data[:size])
        assert unpack(data[:size], first_part=True) == preview


@BOTH
@pytest.mark.parametrize("first_part", [False, True])
def test_every_extension_is_refused(file, first_part):
    data = pack(file)
    for tail in (b"\0", b"\n", data[-1:], data, bytes(1000)):
        message = f"^extended: {len(tail)} bytes follow its end$"
        with pytest.raises(BitstreamError, match=message):
            unpack(data + tail, first_part)


@BOTH
def test_every_file_has_one_form_even_with_right_crcs(file):
    """An attacker can compute a CRC: even then each form is another file."""
    data = pack(file)
    for position in range(len(data)):
        for value in range(256):
            changed = bytearray(data)
            changed[position] = value
            try:
                changed = with_crcs(bytes(changed))
            except BitstreamError:  # The header is refused.
                changed = bytes(changed)
            check_unique(changed)


@given(files(), st.data())
def test_inserted_and_removed_bytes_give_no_second_form(file, data_):
    data = pack(file)
    start = data_.draw(st.integers(0, len(data)))
    end = data_.draw(st.integers(start, min(start + 4, len(data))))
    changed = data[:start] + data_.draw(st.binary(max_size=4)) + data[end:]
    try:
        changed = with_crcs(changed)
    except BitstreamError:
        pass
    check_unique(changed)
    check_unique(changed, first_part=True)


def test_salvage_reads_the_first_part_where_the_second_is_damaged():
    data, preview = pack(FULL), dataclasses.replace(FULL, rest=None)
    assert salvage(data) == (FULL, None)
    file, error = salvage(data[:-1])
    assert file == preview
    assert str(error).startswith("cut: 1 bytes are missing")
    file, error = salvage(data[:-1] + b"?")
    assert file == preview
    assert str(error) == "damaged: the checksum does not match"
    with pytest.raises(BitstreamError, match="^cut: "):
        salvage(data[: first_part_size(data) - 1])


def test_tensorflow_compression_opens_the_file():
    tfc = pytest.importorskip("tensorflow_compression")
    assert tfc.PackedTensors(pack(FULL)).model == "fdram"


def test_all_but_the_tiles_takes_at_most_43_bytes():
    """Of an image of one tile, 768 x 512 pixels, up to 2 bits per pixel."""
    for sizes in ((400, 5000), (3000, 100_000)):
        first, rest = map(bytes, sizes)
        file = TfciFile("fdram", 1, 512, 768, 50.0, 1024, (first,), (rest,))
        assert len(pack(file)) - sum(sizes) <= 43


def test_layout_is_the_documented_one():
    file = TfciFile(
        codec="fdram",
        fingerprint=0x1234,
        height=512,
        width=1536,
        quality=50.0,
        tile=1024,
        first=(b"\xef\xbe\1\2" + b"ab" + b"cde", b"\1\0\0" + b"fg"),
        rest=(b"\x34\x12\0" + b"hijk", b"\x78\x56\0" + b"lm"),
        alpha=(b"", b"\1zz"),
        blocks=((EXIF, b"\0II"),),
    )
    document = (ROOT / "docs" / "file_format.md").read_text(encoding="utf-8")
    example = document.partition("## Example")[2].split("```")[1]
    documented = re.findall(r"^((?:[0-9a-f]{2} {1,2})+)", example, re.MULTILINE)
    assert pack(file) == bytes.fromhex("".join(documented))


def test_newer_versions_are_named():
    head, tail = pack(BARE).split(b"bpg\x72")
    for version in range(2, 14):
        newer = head + b"bpg" + bytes([0x7A - 8 * version]) + tail
        message = f"^format version {version}, only 1 is known here"
        with pytest.raises(BitstreamError, match=message):
            unpack(newer)


def test_files_of_before_are_named():
    old = pack(BARE).replace(b"bpg\x72", b"bpg\x7a")
    with pytest.raises(BitstreamError, match="^written before version 1 of the format"):
        unpack(old)


def test_other_programs_files_are_told_apart():
    tf = pytest.importorskip("tensorflow")
    tfc = pytest.importorskip("tensorflow_compression")
    packed = tfc.PackedTensors()
    packed.model = "bls2017"
    message = "^written by another program that uses tfc.PackedTensors$"
    with pytest.raises(BitstreamError, match=message):
        unpack(packed.string)
    packed.pack([tf.constant([b"string"]), tf.constant([512, 768])])
    with pytest.raises(BitstreamError, match=message):
        unpack(packed.string)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "^the file is empty$"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "^not a .tfci file"),
        (pack(BARE)[:-1], "^cut: 1 bytes are missing$"),
        (pack(BARE)[:-1] + b"\0", "^damaged: the checksum does not match$"),
    ],
)
def test_messages_say_what_is_wrong(data, message):
    with pytest.raises(BitstreamError, match=message):
        unpack(data)


def varint(value):
    digits = []
    while value >= 128:
        digits.append(value & 127 | 128)
        value >>= 7
    return bytes([*digits, value])


def hostile(
    flags=0,
    side=16,
    quality=b"\x88\x13",
    width=b"\x40",
    height=b"\x40",
    options=b"",
    size=None,
    part=b"",
    rest=None,
):
    """A file of version 1 with right CRCs, all else as told."""
    head = bytes([flags, side]) + quality + b"\0\0" + width + height + options
    body = head + (varint(len(part)) if size is None else size) + part
    length = len(body) + 4 + (0 if rest is None else len(rest) + 4)
    data = bytes.fromhex("0a0d0a0b0a024d4412050a030a0161 72") + varint(length) + body
    data += zlib.crc32(data).to_bytes(4, "little")
    if rest is not None:
        data += rest
        data += zlib.crc32(data).to_bytes(4, "little")
    return data


def test_the_hostile_file_is_legal_where_nothing_is_told():
    file = TfciFile("a", 0, 64, 64, 50.0, 1024, (b"",))
    assert unpack(hostile()) == file


HUGE = varint(2**32 - 1)
LARGEST = b"\xff" * 8 + b"\x7f"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"flags": 32}, "invalid: unknown flags 0x20"),
        ({"flags": 0xFF}, "invalid: unknown flags 0xff"),
        ({"quality": b"\x63\0"}, r"Expected quality in \[1, 100\], received 0.99"),
        ({"quality": b"\x11\x27"}, r"Expected quality in \[1, 100\], received 100.01"),
        ({"width": b"\0"}, "Expected sides of 1 to 4294967295 pixels, received 0 x 64"),
        ({"height": b"\0"}, "Expected sides of 1 to"),
        ({"side": 0, "width": varint(2**32)}, "Expected sides of 1 to"),
        ({"width": b"\xc0\0"}, "invalid: a number with a leading zero"),
        ({"width": b"\x80" * 8 + b"\0"}, "invalid: a number with a leading zero"),
        ({"width": b"\xff" * 9 + b"\1"}, "invalid: a number of more than 63 bits"),
        ({"width": b"\xff" * 99}, "invalid: a number of more than 63 bits"),
        # Huge sides, tiny data.
        ({"side": 1, "width": HUGE, "height": HUGE}, "invalid: 4503599627370496 tiles"),
        ({"width": LARGEST, "height": LARGEST}, r"invalid: \d+ tiles in 0 bytes"),
        ({"width": varint(1025)}, "invalid: 2 tiles in 0 bytes$"),
        ({"width": varint(1025), "part": b""}, "invalid: 2 tiles in 0 bytes"),
        # Lengths beyond the end, or before it.
        (
            {"width": varint(1025), "part": b"\1"},
            "cut: expected 1 more bytes, received 0",
        ),
        ({"width": varint(1025), "part": LARGEST}, "cut: expected 92233720368547"),
        ({"width": varint(1025), "part": b"\x80\0"}, "a number with a leading zero"),
        ({"size": varint(1)}, "cut: expected 4 more bytes, received 3"),
        ({"size": LARGEST}, "cut: expected 9223372036854775807 more bytes, received 4"),
        ({"part": b"abc", "size": varint(2)}, "damaged: the checksum does not match"),
        # Flags without what they announce.
        ({"flags": 2}, "cut: expected 1 more bytes, received 0"),
        ({"flags": 2, "part": b"\0"}, "Expected alpha None for an opaque image"),
        ({"flags": 2, "part": b"\2x"}, "cut: expected 2 more bytes, received 1"),
        ({"flags": 4, "options": b"\0"}, "invalid: a byte for variant 0"),
        ({"flags": 8, "options": b"\0"}, "invalid: 0 blocks in 5 bytes"),
        ({"flags": 8, "options": varint(99)}, "invalid: 99 blocks in 5 bytes"),
        ({"flags": 8, "options": LARGEST}, r"invalid: \d+ blocks in 5 bytes"),
        ({"flags": 8, "options": b"\1\1\0"}, "Expected blocks that are not empty"),
        ({"flags": 8, "options": b"\1\1\x7f"}, "cut: expected 127 more bytes"),
        (
            {"flags": 8, "options": b"\1\0\1x"},
            r"kinds of blocks to rise from 1, .*\[0\]",
        ),
        (
            {"flags": 8, "options": b"\2\2\1x\1\1x"},
            r"to rise from 1, received \[2, 1\]",
        ),
        (
            {"flags": 8, "options": b"\2\1\1x\1\1x"},
            r"to rise from 1, received \[1, 1\]",
        ),
        # A second part without a flag, or a flag without a second part.
        ({"flags": 16}, "invalid: the lengths contradict each other"),
        ({"rest": b""}, "invalid: the lengths contradict each other"),
        (
            {"flags": 16, "width": varint(1025), "part": b"\0", "rest": b""},
            "invalid: 2 tiles in 0 bytes",
        ),
        (
            {"flags": 16, "width": varint(1025), "part": b"\0", "rest": b"\1"},
            "cut: expected 1 more bytes, received 0",
        ),
    ],
)
def test_hostile_headers_with_right_crcs_are_refused(fields, message):
    with pytest.raises(BitstreamError, match=message):
        unpack(hostile(**fields))


@pytest.mark.parametrize("follow", [1, 2, 3])
def test_a_second_part_shorter_than_its_crc_is_refused(follow):
    data = bytearray(hostile(flags=16))
    data[16] += follow  # The length of all that follows.
    data[-4:] = zlib.crc32(data[:-4]).to_bytes(4, "little")
    for first_part in (False, True):
        with pytest.raises(BitstreamError, match="the lengths contradict each other"):
            unpack(bytes(data) + bytes(follow), first_part)


def test_memory_is_not_allocated_for_what_a_header_claims():
    """Headers that claim as much as they can, in a file of a few bytes."""
    claims = [
        {"width": HUGE, "height": HUGE, "side": 1},
        {"width": LARGEST, "height": LARGEST, "side": 1},
        {"size": LARGEST},
        {"flags": 8, "options": LARGEST},
        {"flags": 8, "options": b"\1\1" + LARGEST},
        {"flags": 2, "part": LARGEST},
        {"width": varint(1025), "part": LARGEST},
    ]
    datas = [hostile(**fields) for fields in claims]
    tracemalloc.start()
    for data in datas:
        with pytest.raises(BitstreamError):
            unpack(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"codec": "../x"}, "a codec's id, received '../x'."),
        ({"codec": ""}, "a codec's id, received ''."),
        ({"fingerprint": 65536}, r"Expected fingerprint in \[0, 65535\]"),
        ({"variant": -1}, r"Expected variant in \[0, 255\], received -1."),
        ({"height": 0}, "Expected sides of 1 to 4294967295 pixels, received 1 x 0."),
        ({"width": 2**32}, "Expected sides of 1 to"),
        ({"quality": 0.5}, r"Expected quality in \[1, 100\], received 0.5."),
        ({"quality": float("nan")}, r"Expected quality in \[1, 100\], received nan."),
        ({"tile": 63}, "Expected a multiple of 64 up to 16320 as side of the tiles"),
        ({"tile": 16384}, "Expected a multiple of 64 up to 16320 as side of the tiles"),
        ({"first": ()}, "Expected 1 tiles, received 0 in 'first'."),
        ({"width": 129}, "Expected 3 tiles, received 1 in 'first'."),
        ({"rest": (b"", b"")}, "Expected 1 tiles, received 2 in 'rest'."),
        ({"alpha": ()}, "Expected 1 tiles, received 0 in 'alpha'."),
        ({"alpha": (b"",)}, "Expected alpha None for an opaque image, received b''."),
        ({"blocks": ((1, b""),)}, "Expected blocks that are not empty, received b''."),
        ({"blocks": ((0, b"x"),)}, r"Expected kinds of blocks to rise from 1, .*\[0\]"),
        ({"blocks": ((2**63, b"x"),)}, "Expected kinds of blocks to rise"),
        ({"blocks": ((2, b"x"), (1, b"x"))}, r"to rise from 1, received \[2, 1\]."),
    ],
)
def test_what_cannot_be_in_a_file_is_not_packed(change, message):
    fields = {
        "codec": "a",
        "fingerprint": 0,
        "height": 1,
        "width": 1,
        "quality": 1.0,
        "tile": 64,
        "first": (b"",),
    }
    with pytest.raises(ValueError, match=message):
        pack(TfciFile(**{**fields, **change}))
