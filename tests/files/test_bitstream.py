"""The `.tfci` file: round trips, and damaged files are refused."""

import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tf_imgcomp.errors import BitstreamError
from tf_imgcomp.files.bitstream import TfciFile, pack, unpack

SMALL = TfciFile(
    codec="fdram",
    fingerprint=0x1234,
    height=5,
    width=300,
    quality=41.5,
    strings=(b"\x01\x02", b"", b"abc"),
    checksum=0xBEEF,
    grey=True,
    alpha=b"\0alpha",
    exif=b"\0exif",
)

extras = st.none() | st.binary(min_size=1, max_size=300)
files = st.builds(
    TfciFile,
    codec=st.from_regex(r"[a-z0-9][a-z0-9_.-]{0,63}", fullmatch=True),
    fingerprint=st.integers(0, 2**16 - 1),
    height=st.integers(1, 2**32 - 1),
    width=st.integers(1, 2**32 - 1),
    quality=st.integers(100, 10000).map(lambda hundredths: hundredths / 100),
    strings=st.lists(st.binary(max_size=200), min_size=1, max_size=20).map(tuple),
    checksum=st.integers(0, 2**16 - 1),
    grey=st.booleans(),
    alpha=extras,
    icc=extras,
    exif=extras,
)


def with_crc(data):
    """Returns the bytes with a correct CRC in their last four."""
    return data[:-4] + zlib.crc32(data[:-4]).to_bytes(4, "little")


@given(files)
def test_what_is_packed_is_unpacked(file):
    assert unpack(pack(file)) == file


@given(st.binary(max_size=100))
def test_other_bytes_are_refused(data):
    with pytest.raises(BitstreamError):
        unpack(data)


def test_every_flipped_byte_is_refused():
    data = pack(SMALL)
    chance = random.Random(0)
    for position in range(len(data)):
        for mask in (*(1 << bit for bit in range(8)), 0xFF, chance.randrange(1, 256)):
            damaged = bytearray(data)
            damaged[position] ^= mask
            with pytest.raises(BitstreamError):
                unpack(bytes(damaged))


def test_every_cut_and_extension_is_refused():
    data = pack(SMALL)
    for size in range(len(data)):
        with pytest.raises(BitstreamError):
            unpack(data[:size])
    for tail in (b"\0", b"\n", data[-1:], data, bytes(1000)):
        with pytest.raises(BitstreamError, match="^cut or extended: "):
            unpack(data + tail)


def test_every_flipped_byte_is_refused_or_read_alike_even_with_a_right_crc():
    # An attacker can compute a CRC: even then only the unique form is accepted.
    data = pack(SMALL)
    for position in range(len(data)):
        for value in range(256):
            changed = bytearray(data)
            changed[position] = value
            changed = with_crc(bytes(changed))
            try:
                file = unpack(changed)
            except BitstreamError:
                continue
            assert pack(file) == changed


def test_tensorflow_compression_opens_the_file():
    tfc = pytest.importorskip("tensorflow_compression")
    assert tfc.PackedTensors(pack(SMALL)).model == "fdram"


def test_all_but_the_strings_takes_at_most_42_bytes():
    # 768 x 512 pixels at up to 0.6 bits per pixel.
    for sizes in ((60, 3000, 3000), (300, 14000, 14000)):
        strings = tuple(map(bytes, sizes))
        file = TfciFile("fdram", 1, 512, 768, 50.0, strings, 2)
        assert len(pack(file)) - sum(sizes) <= 42


def test_layout_is_the_documented_one():
    file = TfciFile(
        "fdram", 0x1234, 512, 768, 50.0, (b"zz", b"anchor", b"rest"), 0xBEEF
    )
    assert pack(file).hex(" ") == (
        "0a 11 0a 0f 0a 02 4d 44 12 09 0a 07 0a 05 66 64 72 61 6d "
        "7a 1d 30 88 13 34 12 ef be 80 06 80 04 02 06 7a 7a "
        "61 6e 63 68 6f 72 72 65 73 74 ee 01 39 c3"
    )


def test_newer_versions_are_named():
    data = pack(SMALL).replace(b"\x7a", b"\x72", 1)
    message = "^format version 2, only 1 is known here"
    with pytest.raises(BitstreamError, match=message):
        unpack(data)


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
        (pack(SMALL)[:-1], "^cut or extended: expected 34 more bytes, received 33$"),
        (pack(SMALL)[:-1] + b"\0", "^damaged: the checksum does not match$"),
    ],
)
def test_messages_say_what_is_wrong(data, message):
    with pytest.raises(BitstreamError, match=message):
        unpack(data)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"codec": "../x"}, "a codec's id, received '../x'."),
        ({"codec": ""}, "a codec's id, received ''."),
        ({"fingerprint": 65536}, r"Expected fingerprint in \[0, 65535\]"),
        ({"checksum": -1}, r"Expected checksum in \[0, 65535\], received -1."),
        ({"height": 0}, "Expected sides of at least 1 pixel, received 1 x 0."),
        ({"width": 2**32}, "Expected sides of at"),
        ({"quality": 0.5}, r"Expected quality in \[1, 100\], received 0.5."),
        ({"quality": float("nan")}, r"Expected quality in \[1, 100\], received nan."),
        ({"strings": ()}, "Expected at least one string, received none."),
        ({"alpha": b""}, "Expected alpha None or not empty, received b''."),
    ],
)
def test_what_cannot_be_in_a_file_is_not_packed(change, message):
    fields = {
        "codec": "a",
        "fingerprint": 0,
        "height": 1,
        "width": 1,
        "quality": 1.0,
        "strings": (b"",),
        "checksum": 0,
    }
    with pytest.raises(ValueError, match=message):
        pack(TfciFile(**{**fields, **change}))
