"""Adaptive pooling and linear interpolation."""

import numpy as np
import pytest
import tensorflow as tf

from tf_imgcomp.ops.resampling import pool, shrink, spread


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


def test_shrinking_is_the_mean_over_each_square():
    x = _noise(2, 8, 12, 3)
    np.testing.assert_allclose(shrink(x, 4), pool(x, 2, 3), atol=1e-6)


def test_spreading_is_linear_between_centres():
    x = tf.reshape(tf.constant([1.0, 3.0]), [1, 2, 1, 1])
    result = spread(x, 6, 2)
    np.testing.assert_allclose(result[0, :, 0, 0], [1.0, 1.0, 5 / 3, 7 / 3, 3.0, 3.0])
    np.testing.assert_array_equal(result[:, :, 0], result[:, :, 1])
