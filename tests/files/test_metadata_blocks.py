"""Metadata of photos as blocks of a file; the bytes are untrusted."""

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tf_imgcomp import bitstream
from tf_imgcomp.errors import BitstreamError, ImageError
from tf_imgcomp.files.metadata_blocks import (
    decode_blocks,
    decode_metadata,
    encode_blocks,
    encode_metadata,
)
from tf_imgcomp.image_files.images import Photo, write_image
from tf_imgcomp.image_files.metadata import MAX_METADATA

PIXELS = np.zeros((2, 2, 3), np.uint8)
EVERYTHING = {
    "icc": b"profile",
    "exif": b"II*\0",
    "xmp": b"<x/>" * 99,
    "dpi": (300.0, 71.5),
    "text": (("Title", "h\u00e9llo"), ("Comment", "")),
}


def text(*strings):
    """The bytes of a block of text, its strings below 128 bytes."""
    return b"\0" + b"".join(bytes([len(string)]) + string for string in strings)


def resolution(across, down):
    return struct.pack("<ff", across, down)


def test_all_metadata_come_back():
    blocks = encode_blocks(Photo(PIXELS, **EVERYTHING))
    assert [kind for kind, _ in blocks] == [1, 2, 3, 4, 5]
    assert decode_blocks(blocks) == (EVERYTHING, ())
    assert encode_blocks(Photo(PIXELS)) == ()


def test_the_bytes_are_those_of_the_document():
    blocks = dict(encode_blocks(Photo(PIXELS, dpi=(300, 72), text=(("A", "bc"),))))
    assert blocks[bitstream.RESOLUTION] == resolution(300, 72)
    assert blocks[bitstream.TEXT] == text(b"A", b"bc")


@pytest.mark.parametrize(
    ("kind", "data", "message"),
    [
        (bitstream.XMP, b"\2", "metadata: unknown coding 2"),
        (bitstream.XMP, b"\1" + zlib.compress(bytes(2**24 + 1)), "its length is wrong"),
        (bitstream.TEXT, b"\1" + zlib.compress(bytes(2**28)), "its length is wrong"),
        (bitstream.RESOLUTION, bytes(7), "resolution: expected 8 bytes, received 7"),
        (bitstream.RESOLUTION, resolution(0, 72), "resolution: 0 x 72 dots"),
        (bitstream.RESOLUTION, resolution(72, np.nan), "resolution: 72 x nan dots"),
        (bitstream.RESOLUTION, resolution(1e9, 72), r"resolution: 1e\+09 x 72 dots"),
        (bitstream.TEXT, text(), "text: without a keyword"),
        (bitstream.TEXT, text(b"A"), "cut: "),
        (bitstream.TEXT, text(b"A", b"b") + b"\x7f", "cut: "),
        (bitstream.TEXT, text(b"A", b"\xff"), "text: not UTF-8"),
        (bitstream.TEXT, text(b"", b"b"), "text: without a keyword"),
        (bitstream.TEXT, text(b"A" * 80, b"b"), "text: without a keyword"),
        (bitstream.TEXT, text(b"A\0", b"b"), "text: without a keyword"),
        (bitstream.TEXT, text("\u0101".encode(), b"b"), "text: without a keyword"),
    ],
)
def test_hostile_blocks_are_refused(kind, data, message):
    with pytest.raises(BitstreamError, match=message):
        decode_blocks(((kind, data),))


def test_a_block_of_text_holds_a_thousand():
    photo = Photo(PIXELS, text=(("A", "b"),) * 1000)
    fields, _ = decode_blocks(encode_blocks(photo))
    assert fields["text"] == photo.text
    with pytest.raises(BitstreamError, match="^text: more than 1000 pairs"):
        decode_blocks(((bitstream.TEXT, text(*(b"A", b"") * 1001)),))
    photo = Photo(PIXELS, text=(("A", "b"),) * 1001)
    with pytest.raises(ImageError, match="^1001 texts exceed 1000$"):
        encode_blocks(photo)


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "webp", "bmp", "gif"])
@pytest.mark.parametrize("dpi", [(1, 1), (65535, 65535), (1.5, 65534.5)])
def test_whatever_a_file_holds_can_be_written(tmp_path, suffix, dpi):
    blocks = (
        (bitstream.XMP, b"\0\xff\0not XML"),
        (bitstream.RESOLUTION, resolution(*dpi)),
        (bitstream.TEXT, text(b"A", b"\0b", b"A", b"c" * 99, b"B", b"")),
    )
    fields, _ = decode_blocks(blocks)
    write_image(tmp_path / f"image.{suffix}", Photo(PIXELS, **fields))


@given(st.binary(max_size=1000))
def test_metadata_is_lossless_and_not_longer_by_more_than_a_byte(data):
    coded = encode_metadata(data)
    assert decode_metadata(coded) == data
    assert len(coded) <= len(data) + 1


def test_metadata_has_a_limit():
    with pytest.raises(ImageError, match="^metadata of 16777217 bytes exceed "):
        encode_metadata(bytes(MAX_METADATA + 1))


@pytest.mark.parametrize(
    "data",
    [
        b"\2",
        b"\1nothing",
        b"\1" + zlib.compress(bytes(MAX_METADATA + 1)),
        b"\1" + zlib.compress(b"profile") + b"more",
    ],
)
def test_damaged_metadata_is_refused(data):
    with pytest.raises(BitstreamError, match="^metadata"):
        decode_metadata(data)
