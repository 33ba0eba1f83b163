"""Transparency in a file: exact, and bounded for any bytes."""

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as st_numpy

from tf_imgcomp.errors import BitstreamError
from tf_imgcomp.files.transparency import decode_plane, encode_plane

planes = st_numpy.arrays(
    np.uint8, st_numpy.array_shapes(min_dims=2, max_dims=2, max_side=40)
)


@given(planes)
def test_alpha_is_lossless(alpha):
    np.testing.assert_array_equal(
        decode_plane(encode_plane(alpha), *alpha.shape), alpha
    )


def test_smooth_alpha_is_small():
    rows, columns = np.mgrid[:100, :100]
    for alpha in (rows, columns, rows + columns):
        assert len(encode_plane(alpha.astype(np.uint8))) < 150


@pytest.mark.parametrize("size", [99, 101, 10**7])
def test_alpha_of_another_size_is_refused(size):
    data = b"\0" + zlib.compress(bytes(size))
    with pytest.raises(BitstreamError, match="^transparency"):
        decode_plane(data, 10, 10)


@pytest.mark.parametrize(
    "data", [b"\3", b"\0", b"\0nothing", encode_plane(np.zeros((9, 9), np.uint8))[:-1]]
)
def test_damaged_alpha_is_refused(data):
    with pytest.raises(BitstreamError, match="^transparency"):
        decode_plane(data, 9, 9)
