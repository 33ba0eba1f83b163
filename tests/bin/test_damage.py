"""Damaged files: each is refused or decodes to exactly the right image.

The format's CRC refuses nearly all. Where it is made right again after the damage, the
range decoder sees it, and the checksum of the latents.
"""

import dataclasses

import numpy as np
import pytest

from tf_imgcomp import bitstream
from tf_imgcomp.errors import BitstreamError
from tf_imgcomp.export import coding, models

GOLDEN = ("small", "odd")


@pytest.fixture(scope="module")
def codec(tiny_model):
    return models.load(str(tiny_model))


@pytest.fixture(scope="module", params=GOLDEN)
def sound(request, tiny_model):
    """The bytes of a small file."""
    return (tiny_model.parent / f"{request.param}.tfci").read_bytes()


@pytest.fixture(scope="module")
def expected(codec, sound):
    """The image in it, uint8 `(h, w, 3)`."""
    return coding.decode(codec, bitstream.unpack(sound)).pixels


def flips(data: bytes):
    """Yields `data` with one byte changed, each byte in two ways."""
    for position in range(len(data)):
        for mask in (0x01, 0xFF):
            damaged = bytearray(data)
            damaged[position] ^= mask
            yield bytes(damaged)


def cuts(data: bytes):
    """Yields the beginnings of `data`."""
    for size in range(len(data)):
        yield data[:size]


def count_refused(codec, damaged_files, expected) -> tuple:
    """Decodes each file; returns how many were refused and how many were harmless.

    Anything but a refusal and the right image fails the test.
    """
    refused = harmless = 0
    for data in damaged_files:
        try:
            pixels = coding.decode(codec, bitstream.unpack(data)).pixels
        except BitstreamError:
            refused += 1
        else:
            np.testing.assert_array_equal(pixels, expected)
            harmless += 1
    return refused, harmless


def with_strings(data: bytes, variants):
    """Yields sound files, with right CRCs, that hold other strings."""
    file = bitstream.unpack(data)
    for strings in variants:
        yield bitstream.pack(dataclasses.replace(file, strings=tuple(strings)))


def with_one_changed(strings, change):
    """Yields the strings with each of them changed in each way."""
    for index, string in enumerate(strings):
        for changed in change(string):
            yield (*strings[:index], changed, *strings[index + 1 :])


@pytest.mark.parametrize("damage", [flips, cuts])
def test_flipped_and_cut_files_are_refused(codec, sound, expected, damage):
    refused, harmless = count_refused(codec, damage(sound), expected)
    assert refused >= len(sound)
    assert harmless == 0


@pytest.mark.parametrize("damage", [flips, cuts])
def test_damage_to_strings_is_noticed_by_decoding(codec, sound, expected, damage):
    strings = bitstream.unpack(sound).strings
    damaged = with_strings(sound, with_one_changed(strings, damage))
    refused, harmless = count_refused(codec, damaged, expected)
    assert refused > 0.9 * sum(map(len, strings))


def test_strings_that_are_not_the_files_are_refused(codec, sound, expected):
    strings = bitstream.unpack(sound).strings
    random = np.random.default_rng(0)
    variants = [
        strings[:1],
        strings[:-1],
        (*strings, b""),
        (*strings, strings[-1]),
        strings[::-1],
        (b"",) * len(strings),
        (b"",),
        *(
            [random.bytes(len(string)) for string in strings]
            for _ in range(20)
        ),
    ]  # fmt: skip
    damaged = with_strings(sound, variants)
    refused, harmless = count_refused(codec, damaged, expected)
    assert (refused, harmless) == (len(variants), 0)


@pytest.mark.parametrize("size", [(1, 1), (1, 4000), (4000, 1), (300, 200)])
def test_strings_of_an_image_of_another_size_are_refused(codec, sound, size):
    # Sizes that need other numbers of latents; all decoders of strings must end.
    height, width = size
    file = dataclasses.replace(bitstream.unpack(sound), height=height, width=width)
    with pytest.raises(BitstreamError):
        coding.decode(codec, bitstream.unpack(bitstream.pack(file)))
