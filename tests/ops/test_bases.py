"""Bases are orthonormal, stage after stage."""

import numpy as np
import pytest

from tf_imgcomp.ops import bases


@pytest.mark.parametrize("channels", [(12, 48), (12, 20, 40), (6, 6, 6)])
def test_halving_stages_have_orthonormal_columns(channels):
    for (stage, _), count in zip(bases.halving_stages(channels), channels):
        columns = stage.reshape(-1, count)
        np.testing.assert_allclose(columns.T @ columns, np.eye(count), atol=1e-12)


def test_halving_stages_that_keep_all_are_the_block_dct():
    (first, _), (second, deviations) = bases.halving_stages((12, 48))
    x = np.random.default_rng(1).normal(size=(4, 4, 3))
    halves = x.reshape(2, 2, 2, 2, 3).transpose(0, 2, 1, 3, 4)
    y = np.einsum("ijabc,abck->ijk", halves, first)
    y = np.einsum("ijc,ijck->k", y, second)
    dct = bases.dct2(4)
    expected = np.einsum("ui,vj,kc,ijc->uvk", dct, dct, bases.OPPONENT_COLOURS, x)
    (rows, columns, colours), expected_deviations = bases.ranked_coefficients(4, 48)
    np.testing.assert_allclose(y, expected[rows, columns, colours], atol=1e-12)
    np.testing.assert_array_equal(deviations, expected_deviations)
    assert (np.diff(deviations) <= 0).all()
