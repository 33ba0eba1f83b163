"""Rounding and its surrogate gradients."""

import numpy as np
import tensorflow as tf

from tf_imgcomp.ops import rounding


def test_ties_go_up():
    x = tf.constant([-1.5, -0.5, 0.5, 1.5, 2.49])
    np.testing.assert_array_equal(rounding.round_half_up(x), [-1, 0, 1, 2, 2])


def test_zeros_have_no_gradient_and_others_a_larger_one():
    x, weights = tf.constant([0.0, 1.0, -2.0, -0.0]), tf.constant([5.0, 7.0, 0.5, 1.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        same = rounding.scale_nonzero_gradient(x, 3.0)
        total = tf.reduce_sum(weights * same)
    np.testing.assert_array_equal(same, x)
    np.testing.assert_array_equal(tape.gradient(total, x), [0, 21, 1.5, 0])


def test_noise_stays_within_half_a_step_and_follows_its_seed():
    x = tf.fill([1000], 3.0)
    noisy = rounding.add_uniform_noise(x, tf.constant([1, 2]))
    assert np.all(np.abs(noisy - x) <= 0.5)
    assert np.std(noisy - x) > 0.25
    again = rounding.add_uniform_noise(x, tf.constant([1, 2]))
    np.testing.assert_array_equal(noisy, again)
