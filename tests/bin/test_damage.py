"""Damaged files: each is refused or decodes to exactly the right image.

The format's CRC detects nearly all damage. If the CRC is corrected afterwards, the
range decoder or the checksum of the latents detects the damage.
"""

import dataclasses

import numpy as np
import pytest

from tf_imgcomp.errors import BitstreamError
from tf_imgcomp.files import bitstream, encoding
from tf_imgcomp.image_codecs import models


@pytest.fixture(scope="module")
def codec(tiny_model):
    return models.load(str(tiny_model))


@pytest.fixture(scope="module")
def intact(tiny_model):
    """The bytes of a small file."""
    return (tiny_model.parent / "small.tfci").read_bytes()


@pytest.fixture(scope="module")
def strings(intact):
    """The strings in that file."""
    return bitstream.unpack(intact).strings


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


def changed(strings, change) -> list:
    """The strings with one of them changed, in all ways, one after the other."""
    return [
        (*strings[:index], other, *strings[index + 1 :])
        for index, string in enumerate(strings)
        for other in change(string)
    ]


def with_strings(data: bytes, variants) -> list:
    """Files with other strings and a correct CRC."""
    file = bitstream.unpack(data)
    return [
        bitstream.pack(dataclasses.replace(file, strings=tuple(strings)))
        for strings in variants
    ]


@pytest.mark.parametrize("damage", [flips, cuts, extensions])
def test_a_damaged_file_is_refused(intact, count_refused, damage):
    damaged = damage(intact)
    assert count_refused(damaged) == len(damaged)


@pytest.mark.parametrize("damage", [flips, cuts, ends_in_an_escape])
def test_damaged_strings_in_an_intact_file_are_refused(
    intact, strings, count_refused, damage
):
    """Or decode to the right image: the range coder ignores what it does not need."""
    damaged = with_strings(intact, changed(strings, damage))
    assert count_refused(damaged) > 0.9 * len(damaged)


def test_extended_strings_in_an_intact_file_give_the_right_image(
    intact, strings, count_refused
):
    count_refused(with_strings(intact, changed(strings, extensions)))


def test_strings_of_another_number_are_refused(intact, strings, count_refused):
    variants = [
        (b"",),
        (*strings, b""),
        (b"", *strings),
        (*strings, *strings),
        (b"",) * 5000,
    ]
    assert count_refused(with_strings(intact, variants)) == len(variants)


def test_random_strings_are_refused(intact, strings, count_refused):
    random = np.random.default_rng(0)
    variants = [[random.bytes(len(string)) for string in strings] for _ in range(50)]
    assert count_refused(with_strings(intact, variants)) == len(variants)


# Sizes that need other numbers of latents.
@pytest.mark.parametrize("size", [(1, 4000), (4000, 1), (300, 200)])
def test_strings_of_an_image_of_another_size_are_refused(codec, intact, size):
    height, width = size
    file = dataclasses.replace(bitstream.unpack(intact), height=height, width=width)
    with pytest.raises(BitstreamError):
        encoding.decode(codec, file)
