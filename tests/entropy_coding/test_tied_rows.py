"""Precomputed rows: valid, close to their mixtures, found exactly."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.entropy_coding import reference
from tf_imgcomp.entropy import mixture
from tf_imgcomp.entropy_coding.tied_rows import TiedTables, choose_integers

integers = st.integers(-20000, 20000)
any_logits = st.lists(integers, max_size=1)
_NONE = np.zeros(0, np.int32)
_TIED = {components: TiedTables(components, 7.0, _NONE) for components in (1, 2)}


def _tied(*parameters):
    """Tables, their rows and one element; tied Gaussians ignore its last parameters."""
    tables = _TIED[len(parameters) - 1]
    rows = tables.read()
    return tables, rows, [tf.constant([p], tf.float32) for p in parameters]


def _starts(table) -> list:
    """Start of each row, and the end of the last: rows end with 2**16."""
    return [0, *(np.flatnonzero(table == 2**16) + 1).tolist()]


def _probabilities(row) -> np.ndarray:
    """Probabilities of the symbols in a row, without the escape."""
    return np.diff(row[1:-1]) / 2**16


@settings(max_examples=100, deadline=None)
@given(any_logits, integers, integers)
def test_tied_rows_equal_a_numpy_reference(logits, offset, log2_scale):
    tables, rows, element = _tied(*logits, offset, log2_scale)
    found = rows.elements(element)
    table, number = rows.table.numpy(), int(found.numbers[0])
    starts = _starts(table)
    row = table[starts[number] : starts[number + 1]]
    assert starts[number] == found.starts[0]
    first = int(found.centres[0]) - int(found.half_widths[0])
    assert (first, row.tolist()) == reference.tied_row(
        tables, logits, offset, log2_scale
    )


@pytest.mark.parametrize("components", _TIED)
def test_all_tied_rows_increase(components):
    table = _TIED[components].read().table.numpy()
    starts = _starts(table)
    assert len(starts) - 1 == _TIED[components].size
    for start, end in zip(starts, starts[1:]):
        row = table[start:end]
        assert (row[0], row[1], row[-1]) == (16, 0, 2**16)
        assert (np.diff(row[1:]) > 0).all()


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(st.integers(-5000, 5000), st.integers(-2048, 2048), st.integers(-4096, 5000))
def test_tied_rows_are_close_to_the_mixture(logit, offset, log2_scale):
    """Rounding of fraction, scale and weight costs few bits."""
    tables, _, _ = _tied(logit, offset, log2_scale)
    first, row = reference.tied_row(tables, [logit], offset, log2_scale)
    values = np.arange(first, first + len(row) - 3)
    raw = np.array([logit, offset, log2_scale], np.float32)[None, None, None] / 1024
    parameters = mixture.split_parameters(raw, 2, True, tf.zeros((1, 1)))
    bits = mixture.mixture_bits(
        tf.constant(values, tf.float32)[None, None, :, None],
        mixture.Mixture(*(tf.repeat(f, len(values), axis=2) for f in parameters)),
    )
    expected = 2.0 ** -bits.numpy().ravel()
    divergence = np.sum(expected * -np.log2(_probabilities(row) / expected))
    assert divergence < 0.03


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([5.0, 7.0, 9.5]),
    any_logits,
    st.integers(-1500, 1500),
    st.integers(-4096, -1500),
)
def test_certain_zeros_of_tied_rows_are_nearly_certain(
    certain_bits, logits, offset, log2_scale
):
    tables, rows, element = _tied(*logits, offset, log2_scale)
    if rows._replace(certain_bits=certain_bits).are_skipped(element)[0]:
        first, row = reference.tied_row(tables, logits, offset, log2_scale)
        probability = _probabilities(row)[-first]
        assert 1 - probability < 3 * 2**-certain_bits


@settings(max_examples=60, deadline=None)
@given(any_logits, st.integers(-3000, 3000), st.integers(-4096, 7000))
def test_integers_are_chosen_near_and_among_the_rows_symbols(
    logits, offset, log2_scale
):
    tables, rows, element = _tied(*logits, offset, log2_scale)
    first, row = reference.tied_row(tables, logits, offset, log2_scale)
    y = np.arange(first - 3, first + len(row)) + 0.3
    copies = [tf.repeat(kind, len(y)) for kind in element]
    found = rows.elements(copies)
    assert len(set(found.numbers.numpy())) == 1
    centre = first + (len(row) - 4) // 2
    values = centre + choose_integers(found, tf.constant(y, tf.float32), 10.0).numpy()
    assert (abs(values - np.floor(y + 0.5)) <= 1).all()
    assert (abs(values - centre) <= abs(np.floor(y + 0.5) - centre)).all()
