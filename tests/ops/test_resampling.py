"""Averages over windows and linear interpolation."""

import numpy as np
import pytest
import tensorflow as tf

from tf_imgcomp.ops.resampling import pool_windows, shrink, spread


def _noise(*shape):
    return tf.random.stateless_normal(shape, [5, 6])


@pytest.mark.parametrize("cells", [1, 3, 7])
def test_pooling_is_the_mean_over_each_cell(cells):
    x = _noise(2, 10, 17, 3).numpy()
    expected = np.zeros((2, 2, cells, 3, cells, 3))
    for n, m in np.ndindex(2, 3):
        window = x[:, 7 * n : 7 * n + 7, 7 * m : 7 * m + 7]
        height, width = window.shape[1:3]
        rows, columns = min(cells, height), min(cells, width)
        for i, j in np.ndindex(rows, columns):
            top, bottom = height * i // rows, -(-height * (i + 1) // rows)
            left, right = width * j // columns, -(-width * (j + 1) // columns)
            mean = window[:, top:bottom, left:right].mean((1, 2))
            expected[:, n, i, m, j] = mean
    np.testing.assert_allclose(pool_windows(x, 7, cells), expected, atol=1e-6)


def test_shrinking_is_the_mean_over_each_square():
    x = _noise(2, 8, 12, 3)
    result = shrink(x, 4)
    assert result.shape == (2, 2, 3, 3)
    expected = tf.reduce_mean(x[:, 4:, 8:], [1, 2])
    np.testing.assert_allclose(result[:, 1, 2], expected, atol=1e-6)


def test_spreading_is_linear_between_centres():
    x = tf.reshape(tf.constant([1.0, 3.0]), [1, 2, 1, 1])
    result = spread(x, 6, 2, 3)
    np.testing.assert_allclose(result[0, :, 0, 0], [1.0, 1.0, 5 / 3, 7 / 3, 3.0, 3.0])
    np.testing.assert_array_equal(result[:, :, 0], result[:, :, 1])
    cut = spread(x, 4, 1, 3)
    np.testing.assert_array_equal(cut[0, :, 0, 0], result[0, :4, 0, 0])
