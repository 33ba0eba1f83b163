"""The range coder: round trips, and other bytes never make it hang or fail."""

import numpy as np
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tf_imgcomp.entropy import range_coder

TABLE = tf.constant(
    np.concatenate([range_coder.FIRST_TABLE, [16, 0, 100, 30000, 65535, 65536]]),
    tf.int32,
)
ROW = range_coder.FIRST_ROWS
REACH = 2.0
FAR = 2**23


def _write(latents, symbols, integers):
    coder = range_coder.encoder(TABLE, range_coder.stream_count(tf.constant(latents)))
    coder = range_coder.put(coder, tf.fill([len(symbols)], ROW), symbols)
    coder = range_coder.put_far(coder, integers, REACH)
    return range_coder.finish(coder)


def _read(strings, count, integers):
    coder = range_coder.decoder(TABLE, strings)
    coder, symbols = range_coder.get(coder, tf.fill([count], ROW))
    near = tf.clip_by_value(integers, -REACH - 1, REACH + 1)
    reach = tf.fill(tf.shape(near), REACH)
    return symbols, range_coder.get_far(coder, near, reach)[1]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 3), max_size=20),
    st.lists(st.integers(-FAR, FAR), max_size=20),
    st.integers(1, 4),
)
def test_symbols_and_integers_come_back(symbols, integers, streams):
    latents = streams * range_coder.LATENTS_PER_STREAM - 1
    integers = tf.constant(integers, tf.float32)
    strings = _write(latents, tf.constant(symbols, tf.int32), integers)
    assert len(strings) == streams == range_coder.stream_count(latents)
    read, far = _read(strings, len(symbols), integers)
    np.testing.assert_array_equal(read, symbols)
    np.testing.assert_array_equal(far, integers)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=12), st.integers(0, 200))
def test_any_string_is_read_to_the_end(string, count):
    integers = tf.fill([count], 3.0)
    symbols, far = _read(tf.constant([string]), count, integers)
    assert len(symbols) == len(far) == count
    assert (symbols.numpy() <= 3).all()
    assert (abs(far.numpy()) <= FAR + REACH).all()


def test_a_table_is_kept_in_half_the_size():
    kept = range_coder.packed(TABLE.numpy())
    assert kept.nbytes == TABLE.numpy().nbytes / 2
    np.testing.assert_array_equal(range_coder.unpacked(tf.constant(kept)), TABLE)
