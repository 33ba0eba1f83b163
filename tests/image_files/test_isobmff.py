"""Boxes of AVIF and HEIC files."""

import io
import random
import struct

import pytest
from PIL import Image

from tf_imgcomp.image_files.isobmff import Properties, file_boxes, read_properties


def box(kind, *parts):
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def nclx(primaries, curve):
    return box(b"colr", b"nclx", struct.pack(">HHHB", primaries, curve, 0, 128))


def av1c(flags):
    return box(b"av1C", bytes([0x81, 0, flags, 0]))


def item(number, kind):
    return box(b"infe", b"\2\0\0\0", struct.pack(">HH", number, 0), kind, b"\0")


def file(*, wide=False):
    """A file of two items; the second is the main image."""
    number = ">I" if wide else ">H"
    version = b"\1" if wide else b"\0"
    owned = {1: [1], 2: [2, 3]}
    entries = b""
    for owner, properties in owned.items():
        entries += struct.pack(number, owner) + bytes([len(properties)])
        entries += bytes(0x80 | n for n in properties)  # The high bit: essential.
    properties = box(b"ipco", nclx(1, 13), nclx(9, 16), av1c(0x40))
    ipma = box(b"ipma", version, b"\0\0\0", struct.pack(">I", 2), entries)
    items = item(1, b"av01"), item(2, b"tmap")
    meta = box(
        b"meta",
        bytes(4),
        box(b"pitm", version, b"\0\0\0", struct.pack(number, 2)),
        box(b"iinf", bytes(4), struct.pack(">H", 2), *items),
        box(b"iprp", properties, ipma),
    )
    return box(b"ftyp", b"avif", bytes(4)) + meta + box(b"mdat", b"pixels")


@pytest.mark.parametrize("wide", [False, True])
def test_properties_are_those_of_the_main_image(wide):
    properties = read_properties(io.BytesIO(file(wide=wide)))
    assert properties == Properties((9, 16), 10, frozenset({b"av01", b"tmap"}))


def test_a_real_file_is_understood(make_image):
    stream = io.BytesIO()
    Image.fromarray(make_image(64, 64)).save(stream, "AVIF")
    assert read_properties(stream) == Properties((1, 13), 8, frozenset({b"av01"}))


def test_boxes_have_short_long_and_open_sizes():
    long = struct.pack(">I4sQ", 1, b"long", 19) + b"abc"
    data = box(b"free", b"xy") + long + b"\0\0\0\0last" + b"end"
    found = [
        (kind, data[start : start + size])
        for kind, start, size in file_boxes(io.BytesIO(data))
    ]
    assert found == [(b"free", b"xy"), (b"long", b"abc"), (b"last", b"end")]


def test_damage_is_taken_as_absence():
    whole = file()
    assert read_properties(io.BytesIO(b"")) == Properties()
    rng = random.Random(0)
    for _ in range(2000):
        data = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(len(data))] = rng.choice([0, 1, 127, 255])
        read_properties(io.BytesIO(data[: rng.randint(0, len(data))]))
