"""Strings from numbers."""

import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tf_imgcomp import bitstream
from tf_imgcomp.ops.byte_strings import NO_BYTE, join_bytes, little_endian, varints

_numbers = st.lists(st.integers(0, 2**63 - 1), max_size=9)


def test_no_byte_is_left_out():
    joined = join_bytes(tf.constant([[0, NO_BYTE, 255], [NO_BYTE] * 3]))
    assert joined.numpy().tolist() == [b"\x00\xff", b""]


@settings(max_examples=50, deadline=None)
@given(_numbers)
def test_varints_are_those_of_files(values):
    written = varints(tf.constant(values, tf.int64)).numpy().tolist()
    assert written == [bitstream.varint(value) for value in values]


@settings(max_examples=50, deadline=None)
@given(_numbers)
def test_little_endian_is_that_of_python(values):
    written = little_endian(tf.constant(values, tf.int64), 8).numpy().tolist()
    assert written == [value.to_bytes(8, "little") for value in values]
