"""Tensors in place of variables."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import tensorflow as tf

from tf_imgcomp.ops.replaced_variables import replaced


def test_reads_give_the_tensor_and_its_gradient():
    variable = tf.Variable(2.0)

    @tf.function
    def square(tensor):
        with tf.GradientTape() as tape:
            tape.watch(tensor)
            with replaced([variable], [tensor]):
                result = variable * variable
        return result, tape.gradient(result, tensor), variable * 1

    assert list(map(float, square(tf.constant(3.0)))) == [9, 6, 2]


def test_the_inner_of_two_counts_and_the_outer_comes_back():
    one, two = tf.Variable(1.0), tf.Variable(2.0)

    @tf.function
    def reads():
        with replaced([one, two], [tf.constant(10.0), tf.constant(20.0)]):
            with replaced([one], [tf.constant(100.0)]):
                inner = [one * 1, two * 1]
            outer = [one * 1, two * 1]
        return [*inner, *outer, one * 1, two * 1]

    assert list(map(float, reads())) == [100, 20, 10, 20, 1, 2]


def test_an_exception_ends_it():
    variable = tf.Variable(1.0)

    def fail():
        with replaced([variable], [tf.constant(2.0)]):
            raise KeyError

    with tf.Graph().as_default(), pytest.raises(KeyError):
        fail()
    assert float(tf.function(lambda: variable * 1)()) == 1


def test_a_thread_that_leaves_does_not_end_the_others_replacement():
    variable, barrier = tf.Variable(0.0), threading.Barrier(2, timeout=30)

    @tf.function
    def first():
        with replaced([variable], [tf.constant(1.0)]):
            barrier.wait()  # Both are inside.
            inside = variable * 1
        outside = variable * 1
        barrier.wait()  # The first one has left.
        barrier.wait()  # The second one has read.
        return inside, outside

    @tf.function
    def second():
        with replaced([variable], [tf.constant(2.0)]):
            barrier.wait()
            barrier.wait()
            inside = variable * 1
            barrier.wait()
        return inside, variable * 1

    with ThreadPoolExecutor(2) as pool:
        results = [pool.submit(work) for work in (first, second)]
        assert [tuple(map(float, r.result())) for r in results] == [(1, 0), (2, 0)]


def test_many_threads_at_once():
    variable = tf.Variable(-1.0)

    def work(number):
        @tf.function
        def read():
            with replaced([variable], [tf.constant(float(number))]):
                return variable * 1

        return float(read())

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(100))) == list(range(100))
