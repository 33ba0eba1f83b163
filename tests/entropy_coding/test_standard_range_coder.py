"""The range coder in standard operations: the same bytes as the library's."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tf_imgcomp.entropy_coding import range_coder, standard_range_coder


def _random_row(random) -> list:
    """Frequencies of 2 to 40 symbols, some of them as rare as can be."""
    count = int(random.integers(1, 40))
    inner = random.choice(65535, count, replace=False) + 1
    if random.random() < 0.3:
        inner = np.minimum(inner % 256, 255) + 65281 * (inner % 2)
    return [16, 0, *np.unique(np.clip(inner, 1, 65535)), 65536]


def _case(seed: int, steps: int, streams: int) -> tuple:
    """A random table, and random rows and symbols `(streams, steps)`."""
    random = np.random.default_rng(seed)
    rows = [_random_row(random) for _ in range(random.integers(1, 9))]
    numbers = random.integers(len(rows), size=(streams, steps))
    sizes = np.array([len(row) - 2 for row in rows])
    symbols = random.integers(sizes[numbers])
    if random.random() < 0.5:  # The likely symbols, as in files.
        likely = np.array([np.argmax(np.diff(row[1:])) for row in rows])
        is_likely = random.random(numbers.shape) < 0.9
        symbols = np.where(is_likely, likely[numbers], symbols)
    table = tf.constant(np.concatenate(rows), tf.int32)
    return table, tf.constant(numbers, tf.int32), tf.constant(symbols, tf.int32)


_TABLE = tf.TensorSpec([None], tf.int32)
_MATRIX = tf.TensorSpec([None, None], tf.int32)
_write = tf.function(standard_range_coder.write, [_TABLE, _MATRIX, _MATRIX])


@tf.function(input_signature=[_TABLE, tf.TensorSpec([None], tf.string), _MATRIX])
def _read(table, strings, rows):
    reader = standard_range_coder.reader(table, strings)
    reader, first = reader.read(rows[:, :2])
    _, others = reader.read(rows[:, 2:])
    return tf.concat([first, others], axis=1)


def _read_by_library(table, strings, rows):
    return range_coder.reader(table, strings).read(rows)[1]


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(0, 60),
    st.sampled_from([1, 2, 3, 8, 64]),
)
def test_bytes_and_symbols_are_the_librarys(seed, steps, streams):
    table, rows, symbols = _case(seed, steps, streams)
    expected = range_coder.write(table, rows, symbols)
    written = _write(table, rows, symbols)
    assert written.numpy().tolist() == expected.numpy().tolist()
    np.testing.assert_array_equal(_read(table, expected, rows), symbols)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=20), min_size=1, max_size=4), st.integers(0, 99))
def test_any_strings_are_read_like_the_librarys(strings, seed):
    table, rows, _ = _case(seed, 40, len(strings))
    strings = tf.constant(strings)
    expected = _read_by_library(table, strings, rows)
    np.testing.assert_array_equal(_read(table, strings, rows), expected)


@pytest.mark.slow
@pytest.mark.parametrize("certain", [1, 65535])
def test_long_carries_and_long_zeros_are_written(certain):
    """Symbols next to the ends of an interval make long runs of equal words."""
    table = tf.constant([16, 0, certain, 65536], tf.int32)
    for symbol in (0, 1):
        symbols = np.full((1, 200), 1 - symbol)
        symbols[0, [0, 50, 199]] = symbol
        rows = tf.zeros((1, 200), tf.int32)
        symbols = tf.constant(symbols, tf.int32)
        expected = range_coder.write(table, rows, symbols)
        written = _write(table, rows, symbols)
        assert written.numpy().tolist() == expected.numpy().tolist()
        np.testing.assert_array_equal(_read(table, expected, rows), symbols)
