"""Pooling, its opposite, and what a user's importance does with latents."""

import numpy as np
import pytest
import tensorflow as tf

from tf_imgcomp.ops.importance import leave_out
from tf_imgcomp.ops.resampling import pool, spread


def _noise(*shape):
    return tf.random.stateless_normal(shape, [5, 6])


@pytest.mark.parametrize("cells", [(1, 1), (3, 4), (7, 5), (10, 9)])
def test_pooling_is_the_mean_over_each_cell(cells):
    x = _noise(2, 10, 9, 3).numpy()
    expected = np.zeros((2, *cells, 3))
    for i, j in np.ndindex(cells):
        top, bottom = 10 * i // cells[0], -(-10 * (i + 1) // cells[0])
        left, right = 9 * j // cells[1], -(-9 * (j + 1) // cells[1])
        expected[:, i, j] = x[:, top:bottom, left:right].mean((1, 2))
    np.testing.assert_allclose(pool(x, *cells), expected, atol=1e-6)


def test_spreading_is_linear_between_centres():
    x = tf.reshape(tf.constant([1.0, 3.0]), [1, 2, 1, 1])
    result = spread(x, 6, 2)
    np.testing.assert_allclose(result[0, :, 0, 0], [1.0, 1.0, 5 / 3, 7 / 3, 3.0, 3.0])
    np.testing.assert_array_equal(result[:, :, 0], result[:, :, 1])


def test_latents_stay_where_importance_is_one():
    y = 2 * _noise(2, 3, 4, 5)
    np.testing.assert_array_equal(leave_out(y, tf.ones((2, 48, 64))), y)


def test_small_latents_are_left_out_where_importance_is_low():
    y = tf.reshape(tf.constant([-5.0, -3.9, 0.4, 3.9, 4.0]), [1, 1, 1, 5])
    result = leave_out(y, tf.zeros((1, 16, 16)))
    np.testing.assert_array_equal(result[0, 0, 0], [-5.0, 0.0, 0.0, 0.0, 4.0])
    half = leave_out(y, tf.fill((1, 16, 16), 2 / 3))  # A multiplier of one half.
    np.testing.assert_allclose(half[0, 0, 0], [-5.0, -3.9, 0.0, 3.9, 4.0])
