"""Symbols in parallel streams: round trips, and other bytes never hang or fail."""

from unittest import mock

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tf_imgcomp.entropy_coding import range_coder, symbol_streams
from tf_imgcomp.entropy_coding.symbol_streams import FIRST_ROWS, FIRST_TABLE

REACH = 2.0
FAR = 2**23
ROW = [16, 0, 100, 30000, 65535, 65536]

# A row of a table: where its symbols end, without the last.
any_row = st.lists(st.integers(1, 2**16 - 1), min_size=1, max_size=12, unique=True)
any_calls = st.lists(
    st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), max_size=40),
    max_size=12,
)


def _table(rows) -> tf.Tensor:
    more = [[16, 0, *sorted(row), 2**16] for row in rows]
    return tf.constant(np.concatenate([FIRST_TABLE, *more]), tf.int32)


def _calls(rows, drawn) -> list:
    """Calls of numbers of rows and of symbols that they have, int32 `(n, 2)`."""
    numbers = [[row % len(rows) for row, _ in call] for call in drawn]
    symbols = [
        [symbol % (len(rows[number]) + 1) for number, (_, symbol) in zip(row, call)]
        for row, call in zip(numbers, drawn)
    ]
    return [
        np.array([np.add(row, FIRST_ROWS), symbol], np.int32).reshape(2, -1).T
        for row, symbol in zip(numbers, symbols)
    ]


def _write(table, calls, integers_per_stream):
    log = symbol_streams.new_log()
    for call in calls:
        log = symbol_streams.put(log, *tf.unstack(tf.constant(call), axis=1))
    with mock.patch.object(symbol_streams, "INTEGERS_PER_STREAM", integers_per_stream):
        return symbol_streams.write(log, table, range_coder)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(st.lists(any_row, min_size=1, max_size=6), any_calls, st.integers(1, 64))
def test_symbols_of_all_calls_come_back(rows, drawn, streams):
    table, calls = _table(rows), _calls(rows, drawn)
    count = sum(map(len, calls))
    strings = _write(table, calls, max(count // streams, 1))
    assert len(strings) == max(count // max(count // streams, 1), 1)
    reader = symbol_streams.SymbolReader(range_coder.reader(table, strings))
    for call in calls:
        reader, symbols = reader.get(tf.constant(call[:, 0]))
        np.testing.assert_array_equal(symbols, call[:, 1])


@settings(max_examples=50, deadline=None)
@given(st.lists(any_row, min_size=1, max_size=6), any_calls, st.integers(1, 9))
def test_symbols_are_dealt_in_turn(rows, drawn, integers_per_stream):
    """A stream is what one coder writes of every S-th symbol of each call."""
    table, calls = _table(rows), _calls(rows, drawn)
    strings = _write(table, calls, integers_per_stream).numpy()
    streams = len(strings)
    for number, string in enumerate(strings):
        mine = []
        for call in calls:
            steps = -(-len(call) // streams)
            dealt = np.zeros((steps * streams, 2), np.int32)
            dealt[: len(call)] = call
            mine.append(dealt[number::streams])
        mine = np.concatenate([np.zeros((0, 2), np.int32), *mine])
        expected = range_coder.write(table, mine[None, :, 0], mine[None, :, 1])
        assert expected.numpy()[0] == string


def test_the_number_of_streams_follows_from_the_integers():
    counts = {0: 1, 1: 1, 2 * 8192 - 1: 1, 2 * 8192: 2, 181068: 22}
    for integers, streams in counts.items():
        assert symbol_streams.stream_count(tf.constant(integers)) == streams


@pytest.mark.parametrize("symbols_per_integer", [1, 8])
def test_integers_of_several_symbols_count_once(symbols_per_integer):
    rows = tf.zeros([4 * 8192 * symbols_per_integer], tf.int32)
    log = symbol_streams.put(symbol_streams.new_log(), rows, rows)
    strings = symbol_streams.write(log, _table([]), range_coder, symbols_per_integer)
    assert len(strings) == 4


def _write_far(symbols, integers, is_set):
    log = symbol_streams.put_flag(symbol_streams.new_log(), is_set)
    log = symbol_streams.put(log, tf.fill([len(symbols)], FIRST_ROWS), symbols)
    log = symbol_streams.put_escaped(log, integers, REACH)
    return symbol_streams.write(log, _table([ROW[2:-1]]), range_coder)


def _read_far(strings, count, integers):
    table = _table([ROW[2:-1]])
    reader = symbol_streams.SymbolReader(range_coder.reader(table, strings))
    reader, are_set = reader.get_flags()
    reader, symbols = reader.get(tf.fill([count], FIRST_ROWS))
    near = tf.clip_by_value(integers, -REACH - 1, REACH + 1)
    reach = tf.fill(tf.shape(near), REACH)
    return are_set[0], symbols, symbol_streams.get_escaped(reader, near, reach, None)[1]


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 3), max_size=20),
    st.lists(st.integers(-FAR, FAR), max_size=20),
    st.booleans(),
    st.integers(1, 30),
)
def test_flags_and_integers_without_a_symbol_come_back(
    symbols, integers, is_set, integers_per_stream
):
    integers = tf.constant(integers, tf.float32)
    with mock.patch.object(symbol_streams, "INTEGERS_PER_STREAM", integers_per_stream):
        strings = _write_far(tf.constant(symbols, tf.int32), integers, is_set)
    read_flag, read, far = _read_far(strings, len(symbols), integers)
    assert read_flag == is_set
    np.testing.assert_array_equal(read, symbols)
    np.testing.assert_array_equal(far, integers)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=12), min_size=1, max_size=9), st.integers(0, 200))
def test_any_strings_are_read_to_the_end(strings, count):
    integers = tf.fill([count], 3.0)
    _, symbols, far = _read_far(tf.constant(strings), count, integers)
    assert len(symbols) == len(far) == count
    assert (symbols.numpy() <= 3).all()
    assert (abs(far.numpy()) <= FAR + REACH).all()


def test_a_table_is_kept_in_half_the_size():
    table = _table([ROW[2:-1]])
    kept = range_coder.packed(table.numpy())
    assert kept.nbytes == table.numpy().nbytes / 2
    np.testing.assert_array_equal(range_coder.unpacked(tf.constant(kept)), table)
