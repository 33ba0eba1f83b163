"""The bytes of a tile's part in the graph, against `image_codecs.tile_parts`."""

import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tf_imgcomp.errors import BitstreamError
from tf_imgcomp.image_codecs import tile_parts
from tf_imgcomp.serving import tile_parts as in_graph
from tf_imgcomp.serving.conditions import Conditions


@tf.function(input_signature=[tf.TensorSpec([], tf.string)])
def _unpack(data):
    conditions = Conditions()
    return *in_graph.unpack(data, tf.constant(50), conditions), conditions.error


def test_more_streams_than_there_can_be_are_refused():
    error = _unpack(tf.constant(tile_parts.pack(1, [b""] * 51)))[2]
    assert "more streams" in error.numpy().decode()
    assert not _unpack(tf.constant(tile_parts.pack(1, [b""] * 50)))[2].numpy()


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 65535), st.lists(st.binary(max_size=200), min_size=1, max_size=30)
)
def test_parts_are_written_and_read_alike(checksum, strings):
    data = tile_parts.pack(checksum, strings)
    assert in_graph.pack(tf.constant(checksum), tf.constant(strings)).numpy() == data
    found, read, error = _unpack(tf.constant(data))
    assert (int(found), read.numpy().tolist(), error.numpy()) == (
        checksum,
        strings,
        b"",
    )


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused_alike(data):
    found, read, error = _unpack(tf.constant(data))
    try:
        checksum, strings = tile_parts.unpack(data)
    except BitstreamError:
        assert error.numpy()
    else:
        assert (int(found), error.numpy()) == (checksum, b"")
        assert read.numpy().tolist() == strings
