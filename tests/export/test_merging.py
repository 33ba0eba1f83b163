"""Merging nodes that compute the same."""

import numpy as np
import pytest
import tensorflow as tf

from tf_imgcomp.export.merging import merge_repeated_nodes


class Repetitive(tf.Module):
    """Takes the same shape twice, and reads a variable before and after a change."""

    def __init__(self):
        super().__init__()
        self.count = tf.Variable(0)

    @tf.function(input_signature=[tf.TensorSpec([None, None])])
    def call(self, x):
        rows, again = tf.shape(x)[0], tf.shape(x)[0]
        before = self.count.read_value()
        self.count.assign_add(1)
        after = self.count.read_value()
        noise = tf.random.uniform([8]), tf.random.uniform([8])
        return {
            "sum": rows + again,
            "columns": tf.shape(x)[1] + tf.shape(x)[1],
            "before": before,
            "after": after,
            "difference": noise[0] - noise[1],
        }


class Reading(tf.Module):
    """Reads a variable twice, and in a branch."""

    def __init__(self):
        super().__init__()
        self.weights = tf.Variable([1.0, 2.0])

    @tf.function(input_signature=[tf.TensorSpec([], tf.bool)])
    def call(self, is_twice):
        once, again = 2 * self.weights, 2 * self.weights
        total = once + again
        return {"total": tf.cond(is_twice, lambda: 2 * total, lambda: self.weights)}


class Passing(tf.Module):
    """Passes two equal tensors to a branch, as two."""

    @tf.function(input_signature=[tf.TensorSpec([None]), tf.TensorSpec([], tf.bool)])
    def call(self, x, is_sum):
        once, again = 2 * x, 2 * x
        return {"result": tf.cond(is_sum, lambda: once + again, lambda: once)}


class Indirect(tf.Module):
    """Another function changes the variable between two reads."""

    def __init__(self):
        super().__init__()
        self.count = tf.Variable(0)

    @tf.function(input_signature=[])
    def change(self):
        self.count.assign_add(1)

    @tf.function(input_signature=[])
    def call(self):
        before = self.count.read_value()
        self.change()
        return {"before": before, "after": self.count.read_value()}


@pytest.fixture
def folder(tmp_path):
    module = Repetitive()
    tf.saved_model.save(module, str(tmp_path), {"call": module.call})
    return tmp_path


def test_results_are_the_same(folder):
    merge_repeated_nodes(folder)
    model = tf.saved_model.load(str(folder))
    for count in range(2):
        result = model.signatures["call"](x=tf.zeros((5, 3)))
        assert int(result["sum"]) == 10
        assert int(result["columns"]) == 6
        assert (int(result["before"]), int(result["after"])) == (count, count + 1)
        assert np.any(result["difference"].numpy() != 0)


def test_repeated_reads_of_weights_are_merged(tmp_path):
    module = Reading()
    tf.saved_model.save(module, str(tmp_path), {"call": module.call})
    before = (tmp_path / "saved_model.pb").stat().st_size
    merge_repeated_nodes(tmp_path)
    assert (tmp_path / "saved_model.pb").stat().st_size < before
    model = tf.saved_model.load(str(tmp_path))
    call = model.signatures["call"]
    np.testing.assert_array_equal(call(is_twice=tf.constant(True))["total"], [8, 16])
    np.testing.assert_array_equal(call(is_twice=tf.constant(False))["total"], [1, 2])


def test_branches_get_what_they_got(tmp_path):
    """TensorFlow returned an empty tensor if one was passed twice."""
    module = Passing()
    tf.saved_model.save(module, str(tmp_path), {"call": module.call})
    merge_repeated_nodes(tmp_path)
    call = tf.saved_model.load(str(tmp_path)).signatures["call"]
    x = tf.constant([1.0, 2.0])
    for is_sum, expected in ((True, [4, 8]), (False, [2, 4])):
        result = call(x=x, is_sum=tf.constant(is_sum))["result"]
        np.testing.assert_array_equal(result, expected)


def test_reads_around_a_change_in_another_function_stay(tmp_path):
    module = Indirect()
    tf.saved_model.save(module, str(tmp_path), {"call": module.call})
    merge_repeated_nodes(tmp_path)
    result = tf.saved_model.load(str(tmp_path)).signatures["call"]()
    assert (int(result["before"]), int(result["after"])) == (0, 1)


def test_the_file_becomes_smaller(folder):
    before = (folder / "saved_model.pb").stat().st_size
    merge_repeated_nodes(folder)
    assert (folder / "saved_model.pb").stat().st_size < before


def test_the_fingerprint_is_of_the_new_file(folder):
    def fingerprint():
        return tf.saved_model.experimental.read_fingerprint(str(folder))

    before = fingerprint()
    merge_repeated_nodes(folder)
    assert fingerprint().saved_model_checksum != before.saved_model_checksum


def test_doing_it_again_changes_nothing(folder):
    merge_repeated_nodes(folder)
    once = (folder / "saved_model.pb").read_bytes()
    merge_repeated_nodes(folder)
    assert (folder / "saved_model.pb").read_bytes() == once
