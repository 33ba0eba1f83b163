"""When the learning rate falls."""

import math

import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from tf_imgcomp.training.plateau import Plateau, PlateauState, after_epoch

numbers = st.floats(allow_nan=True, allow_infinity=True)
patiences = st.integers(1, 7)


def _falls(scores, patience):
    """After which epochs it falls, and the state at the end."""
    state, falls = PlateauState(), []
    for epoch, score in enumerate(scores):
        state, falling = after_epoch(state, score, patience)
        if falling:
            falls.append(epoch)
    return falls, state


@given(st.lists(numbers, max_size=40), patiences)
def test_it_falls_only_after_patience_epochs_that_were_no_better(scores, patience):
    falls, state = _falls(scores, patience)
    known = [score for score in scores if not math.isnan(score)]
    assert state.best == min([*known, math.inf])
    assert 0 <= state.waited < patience
    for fall, before in zip(falls, [-1, *falls]):
        assert fall - before >= patience
        best = min([math.inf, *(s for s in scores[: fall - patience + 1] if s == s)])
        assert not any(s < best for s in scores[fall - patience + 1 : fall + 1])


@given(st.lists(numbers.filter(math.isfinite), unique=True), patiences)
def test_it_stays_while_every_epoch_is_better(scores, patience):
    assert _falls(sorted(scores, reverse=True), patience)[0] == []


@given(st.integers(0, 40), patiences)
def test_it_falls_again_and_again_where_nothing_gets_better(epochs, patience):
    falls, _ = _falls([1.0] + [1.0] * epochs, patience)
    assert falls == list(range(patience, epochs + 1, patience))


def test_an_optimizer_follows():
    optimizer = tf.keras.optimizers.Adam(2e-3)
    plateau = Plateau(optimizer, 2, factor=0.3)
    rates = []
    for score in (3.0, 2.0, 2.0, 2.5, 1.9, 1.9, 1.9):
        plateau(score)
        rates.append(float(optimizer.learning_rate))
    expected = [2e-3] * 3 + [6e-4] * 3 + [1.8e-4]
    assert rates == pytest.approx(expected)
