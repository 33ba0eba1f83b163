"""CRC-32 in the graph against zlib's."""

import zlib

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tf_imgcomp.serving.crc32 import crc32

_crc32 = tf.function(crc32, [tf.TensorSpec([], tf.string)])


@settings(max_examples=200, deadline=None)
@given(st.binary(min_size=4, max_size=300))
def test_it_is_that_of_zlib(data):
    assert int(_crc32(tf.constant(data))) == zlib.crc32(data)


@pytest.mark.parametrize("size", [4095, 65536, 1_000_003])
def test_it_is_that_of_zlib_for_long_data(size):
    data = np.random.default_rng(size).bytes(size)
    assert int(_crc32(tf.constant(data))) == zlib.crc32(data)
