"""Streams of random numbers."""

import itertools

import numpy as np
import tensorflow as tf

from tf_imgcomp.ops.seeds import stream

SEED = tf.constant([1, 2])


def test_names_and_numbers_make_the_stream_whether_compiled_or_not():
    seed = stream(SEED, "noise", 3)
    assert seed.dtype == tf.int32
    assert seed.shape == (2,)
    np.testing.assert_array_equal(stream(stream(SEED, "noise"), tf.constant(3)), seed)
    compiled = tf.function(lambda s, n: stream(s, "noise", n), jit_compile=True)
    np.testing.assert_array_equal(compiled(SEED, tf.constant(3)), seed)
    np.testing.assert_array_equal(stream(SEED), SEED)


def test_no_two_streams_have_one_seed():
    names = ("noise", "quality", "y", "z", 0, 1, 2)
    paths = [path for n in range(4) for path in itertools.product(names, repeat=n)]
    seeds = {tuple(stream(SEED, *path).numpy()) for path in paths}
    assert len(seeds) == len(paths)


def test_streams_are_independent():
    draws = [
        tf.random.stateless_uniform([10000], stream(SEED, "noise", number))
        for number in range(6)
    ]
    correlation = np.corrcoef(draws) - np.eye(len(draws))
    assert np.abs(correlation).max() < 0.05
