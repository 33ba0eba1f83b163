"""The raster order: neighbours, and positions that are decoded at once."""

import numpy as np
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tf_imgcomp.ops import raster

sides = st.integers(1, 7)


def _positions(height, width):
    """A map of one channel that numbers its positions, from 1."""
    numbers = np.arange(1, height * width + 1, dtype=np.float32)
    return tf.constant(numbers.reshape(1, height, width, 1))


def test_taps_are_those_before_the_centre_of_a_5x5_window():
    window = np.arange(25).reshape(5, 5)
    assert [window[tap] for tap in raster.TAPS] == list(range(12))


@settings(max_examples=30, deadline=None)
@given(sides, sides)
def test_neighbours_are_the_positions_of_the_taps(height, width):
    x = _positions(height, width)
    around = raster.all_neighbours(x)[0].numpy()
    padded = np.pad(x[0, ..., 0], 2)
    for i, j in np.ndindex(height, width):
        window = padded[i : i + 5, j : j + 5]
        np.testing.assert_array_equal(around[i, j], [window[t] for t in raster.TAPS])


@settings(max_examples=30, deadline=None)
@given(sides, sides, st.randoms(use_true_random=False))
def test_neighbours_of_some_positions_are_those_of_all(height, width, random):
    x = tf.random.stateless_normal((2, height, width, 3), [1, 2])
    count = random.randint(1, height * width)
    positions = random.sample(range(height * width), count)
    rows, columns = np.divmod(np.array(positions, np.int32), width)
    some = raster.neighbours(raster.pad(x), rows, columns)
    every = tf.reshape(raster.all_neighbours(x), [2, height * width, -1])
    np.testing.assert_array_equal(some, tf.gather(every, positions, axis=1))


@settings(max_examples=50, deadline=None)
@given(sides, sides)
def test_a_wavefront_knows_only_those_before_it(height, width):
    order, sizes = raster.wavefronts(height, width)
    assert sizes.shape == (width + 3 * (height - 1),)
    np.testing.assert_array_equal(np.sort(order), np.arange(height * width))
    around = raster.all_neighbours(_positions(height, width))
    around = tf.reshape(around, [height * width, -1]).numpy()
    decoded = {0}  # What is outside is known.
    for wavefront in np.split(order, np.cumsum(sizes)[:-1]):
        assert set(around[wavefront].ravel()) <= decoded
        decoded |= set(wavefront + 1)
