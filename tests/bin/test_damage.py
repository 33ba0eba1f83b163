"""Damaged files: each is refused or decodes to exactly the right image.

The format's CRCs detect nearly all damage. If they are corrected afterwards, the reader
of a tile, the range decoder or the checksums of the latents detect the damage.
"""

import dataclasses

import numpy as np
import pytest

from tf_imgcomp import bitstream
from tf_imgcomp.errors import BitstreamError
from tf_imgcomp.files import encoding
from tf_imgcomp.image_codecs import models

PARTS = ("first", "rest")


@pytest.fixture(scope="module")
def codec(tiny_model):
    return models.load(str(tiny_model))


@pytest.fixture(scope="module")
def intact(tiny_model):
    """The bytes of a small file, of one tile."""
    return (tiny_model.parent / "small.tfci").read_bytes()


@pytest.fixture(scope="module")
def count_refused(codec, intact):
    """A function that decodes files and returns how many were refused.

    Anything but a refusal or the right image fails the test.
    """
    expected = encoding.decode(codec, bitstream.unpack(intact)).pixels

    def count(files) -> int:
        refused = 0
        for data in files:
            try:
                pixels = encoding.decode(codec, bitstream.unpack(data)).pixels
            except BitstreamError:
                refused += 1
            else:
                np.testing.assert_array_equal(pixels, expected)
        return refused

    return count


def flips(data: bytes) -> list:
    """`data` with the lowest bit or all bits of one byte flipped, for each byte."""
    damaged = []
    for position in range(len(data)):
        for mask in (0x01, 0xFF):
            changed = bytearray(data)
            changed[position] ^= mask
            damaged.append(bytes(changed))
    return damaged


def cuts(data: bytes) -> list:
    """All proper prefixes of `data`."""
    return [data[:size] for size in range(len(data))]


def extensions(data: bytes) -> list:
    return [data + tail for tail in (b"\0", b"\x01", b"\0\0", data, bytes(1000))]


def ends_in_an_escape(data: bytes) -> list:
    """Prefixes after which the decoder reads an escape, whose length is missing."""
    return [data[:size] + b"\xff" * 4 for size in range(0, len(data), 2)]


def with_tiles(data: bytes, part: str, variants) -> list:
    """Files with other bytes of the tile in one part, and right CRCs."""
    file = bitstream.unpack(data)
    return [
        bitstream.pack(dataclasses.replace(file, **{part: (tile,)}))
        for tile in variants
    ]


def tile_of(data: bytes, part: str) -> bytes:
    (tile,) = getattr(bitstream.unpack(data), part)
    return tile


def read_varint(data: bytes) -> tuple:
    """A number at the beginning of `data`, and what follows."""
    value, shift = 0, 0
    for position, byte in enumerate(data):
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, data[position + 1 :]
    raise AssertionError("expected a number")


def varint(value: int) -> bytes:
    digits = []
    while value >= 128:
        digits.append(value & 127 | 128)
        value >>= 7
    return bytes([*digits, value])


def split(tile: bytes) -> tuple:
    """Checksum and streams of a tile, as docs/file_format.md says."""
    checksum, (more, left) = tile[:2], read_varint(tile[2:])
    lengths, streams = [], []
    for _ in range(more):
        length, left = read_varint(left)
        lengths.append(length)
    for length in lengths:
        streams.append(left[:length])
        left = left[length:]
    return checksum, [*streams, left]


def join(checksum: bytes, streams: list) -> bytes:
    """The inverse of `split`."""
    lengths = b"".join(varint(len(stream)) for stream in streams[:-1])
    return checksum + varint(len(streams) - 1) + lengths + b"".join(streams)


@pytest.mark.parametrize("part", PARTS)
def test_tiles_are_as_documented(intact, part):
    tile = tile_of(intact, part)
    assert join(*split(tile)) == tile


@pytest.mark.parametrize("damage", [flips, cuts, extensions])
def test_a_damaged_file_is_refused(intact, count_refused, damage):
    damaged = damage(intact)
    assert count_refused(damaged) == len(damaged)


def test_a_file_that_ends_with_its_first_part_is_refused(codec, intact):
    size = bitstream.first_part_size(intact)
    file = bitstream.unpack(intact[:size], first_part=True)
    for data in (intact, bitstream.pack(file)):
        file = bitstream.unpack(data, first_part=True)
        with pytest.raises(BitstreamError, match="second part"):
            encoding.decode(codec, file)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("damage", [flips, cuts, ends_in_an_escape])
def test_damaged_tiles_in_an_intact_file_are_refused(
    intact, count_refused, part, damage
):
    """Or decode to the right image: the range coder ignores what it does not need."""
    damaged = with_tiles(intact, part, damage(tile_of(intact, part)))
    assert count_refused(damaged) > 0.9 * len(damaged)


@pytest.mark.parametrize("part", PARTS)
def test_extended_streams_in_an_intact_file_give_the_right_image(
    intact, count_refused, part
):
    checksum, streams = split(tile_of(intact, part))
    variants = [
        join(checksum, [*streams[:number], longer, *streams[number + 1 :]])
        for number, stream in enumerate(streams)
        for longer in extensions(stream)
    ]
    count_refused(with_tiles(intact, part, variants))


@pytest.mark.parametrize("part", PARTS)
def test_streams_of_another_number_are_refused(intact, count_refused, part):
    checksum, streams = split(tile_of(intact, part))
    variants = [
        join(checksum, other)
        for other in (
            [*streams, b""],
            [b"", *streams],
            [*streams, *streams],
            [b""] * 5000,
        )
    ]
    assert count_refused(with_tiles(intact, part, variants)) == len(variants)


@pytest.mark.parametrize("part", PARTS)
def test_random_streams_are_refused(intact, count_refused, part):
    random = np.random.default_rng(0)
    checksum, streams = split(tile_of(intact, part))
    variants = [
        join(checksum, [random.bytes(len(stream)) for stream in streams])
        for _ in range(50)
    ]
    assert count_refused(with_tiles(intact, part, variants)) == len(variants)


def test_parts_that_were_swapped_are_refused(intact, count_refused):
    file = bitstream.unpack(intact)
    swapped = dataclasses.replace(file, first=file.rest, rest=file.first)
    assert count_refused([bitstream.pack(swapped)]) == 1


# Sizes of one tile that need other numbers of latents.
@pytest.mark.parametrize("size", [(1, 1000), (1000, 1), (300, 200)])
def test_tiles_of_an_image_of_another_size_are_refused(codec, intact, size):
    height, width = size
    file = dataclasses.replace(bitstream.unpack(intact), height=height, width=width)
    with pytest.raises(BitstreamError):
        encoding.decode(codec, file)


def test_variants_that_the_codec_does_not_have_are_refused(codec, intact):
    file = dataclasses.replace(bitstream.unpack(intact), variant=1)
    with pytest.raises(BitstreamError, match="variant"):
        encoding.decode(codec, file)
