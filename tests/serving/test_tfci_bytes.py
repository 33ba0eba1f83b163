"""Whole files in the graph: the bytes of `bitstream`, and its refusals."""

import zlib

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tf_imgcomp import bitstream
from tf_imgcomp.bitstream import TfciFile
from tf_imgcomp.errors import BitstreamError
from tf_imgcomp.serving import tfci_bytes
from tf_imgcomp.serving.conditions import Conditions
from tf_imgcomp.serving.tfci_bytes import FileContent, Format

CODEC, FINGERPRINT, TILE = "tiny", 0x1234, 64
_PREFIX = bitstream.codec_field(CODEC) + bytes([bitstream.TAG])


def _format() -> Format:
    return Format(CODEC, tf.constant(FINGERPRINT, tf.int64), TILE, 2**26)


@tf.function(input_signature=[tf.TensorSpec([], tf.string)])
def _unpack(data):
    conditions = Conditions()
    content = tfci_bytes.unpack(data, _format(), conditions)
    return conditions.error, content


@tf.function(
    input_signature=[
        FileContent(
            tf.TensorSpec([2], tf.int32),
            tf.TensorSpec([], tf.int64),
            tf.TensorSpec([], tf.bool),
            *[tf.TensorSpec([None], tf.string)] * 2,
        )
    ]
)
def _pack(content):
    return tfci_bytes.pack(content, _format())


def _error(data: bytes) -> str:
    return _unpack(tf.constant(data))[0].numpy().decode()


def _file(seed: int, **fields) -> TfciFile:
    random = np.random.default_rng(seed)
    height, width = (int(side) for side in random.integers(1, 300, 2))
    count = -(-height // TILE) * -(-width // TILE)
    first, rest = (
        tuple(random.bytes(random.choice([0, 1, 40, 300])) for _ in range(count))
        for _ in range(2)
    )
    quality = int(random.integers(100, 10001)) / 100
    fields = {"grey": bool(random.integers(2)), **fields}
    return TfciFile(
        CODEC, FINGERPRINT, height, width, quality, TILE, first, rest, **fields
    )


def _content(file: TfciFile) -> FileContent:
    return FileContent(
        tf.constant([file.height, file.width]),
        tf.constant(round(100 * file.quality), tf.int64),
        tf.constant(file.grey),
        tf.constant(file.first, tf.string),
        tf.constant(file.rest, tf.string),
    )


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_files_are_written_and_read_as_bitstream_does(seed):
    file = _file(seed)
    data = bitstream.pack(file)
    assert _pack(_content(file)).numpy() == data
    error, content = _unpack(tf.constant(data))
    assert error.numpy() == b""
    for found, expected in zip(content, _content(file)):
        assert found.numpy().tolist() == expected.numpy().tolist()


@pytest.mark.slow
@pytest.mark.parametrize("blocks", [((1, b"icc"),), ((1, b"a"), (2**62, b"b" * 300))])
def test_metadata_is_skipped(blocks):
    file = _file(1)
    error, content = _unpack(tf.constant(bitstream.pack(_file(1, blocks=blocks))))
    assert error.numpy() == b""
    assert content.first.numpy().tolist() == list(file.first)


def _resealed(data: bytes) -> bytes:
    """A file with both checks made right."""
    first = bitstream.first_part_size(data) - 4
    data = (
        data[:first]
        + zlib.crc32(data[:first]).to_bytes(4, "little")
        + data[first + 4 :]
    )
    return data[:-4] + zlib.crc32(data[:-4]).to_bytes(4, "little")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"codec": "other"}, "not a .tfci file of model 'tiny'"),
        ({"fingerprint": 7}, "needs model 'tiny' with another fingerprint"),
        ({"tile": 0, "first": (b"",), "rest": (b"",)}, "expected tiles of 64 pixels"),
        ({"rest": None}, "the second part is missing"),
        ({"variant": 3}, "expected variant 0"),
    ],
)
def test_files_that_the_model_does_not_decode_are_refused(fields, message):
    data = bitstream.pack(TfciFile(**{**vars(_file(2)), **fields}))
    assert message in _error(data)


@pytest.mark.parametrize(("width", "height"), [(2**32 - 1, 2**32 - 1), (2**20 + 1, 1)])
def test_a_picture_that_is_too_large_when_padded_is_refused(width, height):
    """No packed file has such a size: nobody could list so many tiles."""
    data = bitstream.pack(_file(4))
    # Behind the tag: length in 2 bytes, flags, side, quality, fingerprint; then width
    # and height, in 2 bytes each.
    start, stop = len(_PREFIX) + 8, len(_PREFIX) + 12
    assert _varint(_file(4).width) == data[start:][:2]
    sizes = _varint(width) + _varint(height)
    header = data[len(_PREFIX) + 2 : start] + sizes + data[stop:]
    low, high = data[len(_PREFIX) :][:2]
    length = (low & 127 | high << 7) + len(sizes) - 4
    data = _PREFIX + _varint(length) + header
    assert "too large: over 67108864 pixels padded" in _error(data)


def _varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first; all but the last byte are over 127."""
    more = number >> 7
    return bytes([number & 127 | 128]) + _varint(more) if more else bytes([number])


def test_transparency_is_refused():
    file = _file(3)
    alpha = (b"x",) * len(file.first)
    data = bitstream.pack(TfciFile(**{**vars(file), "alpha": alpha}))
    assert "has transparency" in _error(data)


@pytest.mark.parametrize("size", [0, 1, 13, 19, 20, 24, 30])
def test_beginnings_are_refused(size):
    assert _error(bitstream.pack(_file(4))[:size])


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_changed_headers_with_right_checks_are_read_as_bitstream_reads_them(seed):
    """Numbers of the header and the index, whatever they become."""
    random = np.random.default_rng(seed)
    blocks = ((1, b"ab"), (300, b"c")) if random.integers(2) else ()
    data = bytearray(bitstream.pack(_file(seed % 50, blocks=blocks)))
    for _ in range(random.integers(1, 3)):
        place = len(_PREFIX) + int(random.integers(min(30, len(data) - len(_PREFIX))))
        data[place] = int(random.choice([random.integers(256), 0, 127, 128, 255]))
    try:
        data = _resealed(bytes(data))
    except BitstreamError:
        data = bytes(data)
    try:
        expected = bitstream.unpack(data)
    except BitstreamError:
        expected = None
    error, content = _unpack(tf.constant(data))
    if expected is None:
        assert error.numpy()
    elif not error.numpy():
        assert content.rest.numpy().tolist() == list(expected.rest)
