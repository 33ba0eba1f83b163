"""Transparency and metadata in a file: exact, and bounded for any bytes."""

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from tf_imgcomp.errors import BitstreamError, ImageError
from tf_imgcomp.files.extras import (
    MAX_METADATA,
    decode_alpha,
    decode_metadata,
    encode_alpha,
    encode_metadata,
)

planes = st_numpy.arrays(
    np.uint8, st_numpy.array_shapes(min_dims=2, max_dims=2, max_side=40)
)


@given(planes)
def test_alpha_is_lossless(alpha):
    np.testing.assert_array_equal(
        decode_alpha(encode_alpha(alpha), *alpha.shape), alpha
    )


def test_smooth_alpha_is_small():
    rows, columns = np.mgrid[:100, :100]
    for alpha in (rows, columns, rows + columns):
        assert len(encode_alpha(alpha.astype(np.uint8))) < 150


@given(st.binary(max_size=1000))
def test_metadata_is_lossless_and_not_longer_by_more_than_a_byte(data):
    coded = encode_metadata(data)
    assert decode_metadata(coded) == data
    assert len(coded) <= len(data) + 1


def test_metadata_has_a_limit():
    with pytest.raises(ImageError, match="^metadata of 16777217 bytes exceed "):
        encode_metadata(bytes(MAX_METADATA + 1))


@pytest.mark.parametrize("size", [99, 101, 10**7])
def test_alpha_of_another_size_is_refused(size):
    data = b"\0" + zlib.compress(bytes(size))
    with pytest.raises(BitstreamError, match="^transparency"):
        decode_alpha(data, 10, 10)


@pytest.mark.parametrize(
    "data", [b"\3", b"\0", b"\0nothing", encode_alpha(np.zeros((9, 9), np.uint8))[:-1]]
)
def test_damaged_alpha_is_refused(data):
    with pytest.raises(BitstreamError, match="^transparency"):
        decode_alpha(data, 9, 9)


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
