"""Which tiles share a loop."""

import numpy as np
import tensorflow as tf

from tf_imgcomp.serving.tile_decoding import _groups


def groups(sizes, *counts, together=8) -> list:
    parts = [tf.constant(count) for count in counts]
    order, ends = _groups(tf.constant(sizes), parts, together)
    return [part.tolist() for part in np.split(order.numpy(), ends.numpy()[:-1])]


def test_tiles_of_one_size_share_a_loop():
    sizes = [[8, 4], [4, 8], [8, 4], [8, 8], [4, 8]]
    assert groups(sizes, [1] * 5) == [[1, 4], [0, 2], [3]]


def test_few_tiles_share_a_loop():
    assert groups([[4, 4]] * 7, [1] * 7, together=3) == [[0, 1, 2], [3, 4, 5], [6]]


def test_tiles_with_many_streams_do_not_wait_for_one_with_few():
    first, rest = [1, 288, 3, 200, 1], [1, 1, 1, 1, 20]
    assert groups([[64, 64]] * 5, first) == [[0, 2, 4], [3], [1]]
    assert groups([[64, 64]] * 5, first, rest) == [[0, 2], [4], [3], [1]]


def test_there_may_be_no_tiles():
    order, ends = _groups(tf.zeros([0, 2], tf.int32), [tf.zeros([0], tf.int32)], 8)
    assert (len(order), len(ends)) == (0, 0)
