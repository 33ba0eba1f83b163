"""Limits of a call."""

import pytest
import tensorflow as tf

from tf_imgcomp.serving.conditions import limited


def test_nothing_runs_on_the_inputs_of_a_call_that_is_too_large_or_empty():
    ran = []

    def record(x):
        ran.append(len(x))
        return x

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
    def call(x):
        x = limited(x, tf.size(x), 3)
        # Without state: TensorFlow itself would order what has one after the check.
        return tf.numpy_function(record, [x], tf.float32, stateful=False)

    call(tf.zeros(3))
    for _ in range(20):
        with pytest.raises(tf.errors.InvalidArgumentError, match="over 3 pixels in"):
            call(tf.zeros(4))
        with pytest.raises(tf.errors.InvalidArgumentError, match="no pixels in this"):
            call(tf.zeros(0))
    assert ran == [3]
