"""Padding to a multiple repeats the last row and column."""

import numpy as np
import pytest
import tensorflow as tf

from tf_imgcomp.ops.padding import pad_to_multiple


@pytest.mark.parametrize("size", [(1, 1), (64, 64), (63, 130), (128, 65)])
def test_edges_are_repeated(size):
    x = np.random.default_rng(0).normal(size=(2, *size, 3)).astype(np.float32)
    more = [(0, -side % 64) for side in size]
    expected = np.pad(x, [(0, 0), *more, (0, 0)], "edge")
    of_any_size = tf.TensorSpec([None, None, None, 3])
    padded = tf.function(pad_to_multiple, [of_any_size, tf.TensorSpec([], tf.int32)])
    np.testing.assert_array_equal(padded(x, 64), expected)
