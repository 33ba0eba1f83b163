"""Binary decisions: equal to a NumPy reference, and nearly optimal in bits."""

import numpy as np
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.entropy_coding import reference
from tf_imgcomp.entropy_coding import decisions, integer_mixture, symbol_streams
from tf_imgcomp.entropy_coding.symbol_streams import FIRST_ROWS, FIRST_TABLE
from tf_imgcomp.entropy_coding.tables import Tables

integers = st.integers(-20000, 20000)
any_components = st.lists(
    st.tuples(integers, integers, integers), min_size=1, max_size=3
)
small_scales = st.integers(-4096, -1500)
_TABLES = decisions.DecisionTables(7.0, np.zeros(0, np.int32))
_EDGES = range(-128, 127)


class Listing:
    """In place of a range coder: gives rows and symbols of the only stream."""

    @staticmethod
    def write(table, rows, symbols):
        return list(zip(rows[0].numpy().tolist(), symbols[0].numpy().tolist()))


def _mixture(components):
    """The sampled functions, and the mixture of one element."""
    functions = Tables().read()
    columns = (tf.constant(c, tf.float32)[:, None] for c in zip(*components))
    return functions, integer_mixture.make_mixture(functions, *columns)


@settings(max_examples=40, deadline=None)
@given(any_components)
def test_distributions_equal_a_numpy_reference_and_do_not_descend(components):
    functions, mixture = _mixture(components)
    made = [
        float(integer_mixture.cumulative(functions, mixture, float(edge))[0])
        for edge in range(-3, 4)
    ]
    centre, expected = reference.distribution(Tables(), *zip(*components), range(-3, 4))
    assert mixture.centre[0] == centre
    assert made == expected
    assert made == sorted(made)


@settings(max_examples=40, deadline=None)
@given(any_components, st.integers(-400, 400))
def test_decisions_equal_a_numpy_reference(components, offset):
    functions, mixture = _mixture(components)
    elements = decisions.DecisionElements(functions, mixture)
    choice = (tf.constant([float(offset)], tf.float64),)
    log = elements.write(symbol_streams.new_log(), choice)
    made = symbol_streams.write(log, _TABLES.rows, Listing)
    _, totals = reference.distribution(Tables(), *zip(*components), _EDGES)
    expected = reference.decisions(dict(zip(_EDGES, totals)), offset)
    assert made[: len(expected)] == expected


@settings(max_examples=100, deadline=None)
@given(any_components)
def test_decisions_cost_about_what_the_mixture_says(components):
    """For all integers in the window, rounding probabilities costs few bits."""
    _, totals = reference.distribution(Tables(), *zip(*components), _EDGES)
    totals = dict(zip(_EDGES, totals))
    shares = np.diff([0, *totals.values(), 1 << 30]) / 2**30
    upper = (np.arange(4096) + 0.5) / 4096
    divergence = 0.0
    for offset, share in zip(range(-128, 128), shares):
        if share and abs(offset) < 127:
            made = reference.decisions(totals, offset)
            bits = sum(
                -np.log2(upper[number - 3] if symbol else 1 - upper[number - 3])
                for number, symbol in made
            )
            divergence += share * (bits + np.log2(share))
    assert divergence < 0.005


def test_rows_of_decisions_increase():
    rows = _TABLES.rows.numpy()[len(FIRST_TABLE) :].reshape(-1, 4)
    assert FIRST_ROWS + len(rows) == _TABLES.size
    assert (np.diff(rows[:, 1:]) > 0).all()
    assert set(rows[:, 0]) == {16}


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([5.0, 7.0, 9.5]),
    st.lists(
        st.tuples(st.integers(-9000, 0), st.integers(-1500, 1500), small_scales),
        min_size=1,
        max_size=3,
    ),
)
def test_certain_zeros_are_nearly_certain(certain_bits, components):
    functions = Tables().read()
    columns = [tf.constant(c, tf.float32)[:, None] for c in zip(*components)]
    if integer_mixture.are_skipped(functions, certain_bits, *columns)[0]:
        mixture = integer_mixture.make_mixture(functions, *columns)
        assert mixture.centre[0] == 0
        below, above = (
            integer_mixture.cumulative(functions, mixture, tf.constant(e, tf.float64))
            for e in (-1, 0)
        )
        share = float((above - below)[0]) / 2**integer_mixture.ONE_BITS
        assert 1 - share < len(components) * 2**-certain_bits
