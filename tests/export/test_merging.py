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
