"""The functions of a SavedModel, without `tf.saved_model.load`."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from tf_imgcomp.saved_functions import load_functions, load_value


class Sums(tf.Module):
    """Functions with variables, a loop, and a function inside."""

    def __init__(self, step):
        super().__init__()
        self.step = tf.Variable(step)
        self.offset = tf.Variable([1, 2])

    @tf.function(input_signature=[tf.TensorSpec([]), tf.TensorSpec([], tf.int32)])
    def repeat(self, x, times):
        for _ in tf.range(times):
            x = self._next(x)
        return {"sum": x, "times": times}

    @tf.function
    def _next(self, x):
        return x + self.step

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def count(self, words):
        return {"offset": self.offset + tf.size(words)}


@pytest.fixture(params=[1.0, 2.0])
def saved(request, tmp_path):
    """Two modules, whose functions have the same names."""
    module = Sums(request.param)
    signatures = {"repeat": module.repeat, "count": module.count}
    tf.saved_model.save(module, str(tmp_path), signatures)
    return module, tmp_path


def test_functions_give_what_they_gave_before(saved):
    module, folder = saved
    functions = load_functions(folder)
    assert sorted(functions) == ["count", "repeat"]
    for x, times in ((0.5, 3), (2.0, 0)):
        expected = module.repeat(x, times)
        found = functions["repeat"](times=times, x=tf.constant(x))
        assert {name: value.numpy() for name, value in found.items()} == {
            name: value.numpy() for name, value in expected.items()
        }
    for words in ([], [b"a", b"b"]):
        (offset,) = functions["count"](words=words).values()
        np.testing.assert_array_equal(offset, [1 + len(words), 2 + len(words)])


def test_models_with_the_same_names_stay_apart(tmp_path):
    double = tf.function(lambda x: {"y": 2 * x}, [tf.TensorSpec([])], autograph=False)
    tf.saved_model.save(tf.Module(), str(tmp_path), {"call": double})
    path = tmp_path / "saved_model.pb"
    saved = SavedModel.FromString(path.read_bytes())
    for function in saved.meta_graphs[0].graph_def.library.function:
        for node in function.node_def:
            if node.op == "Const":
                node.attr["value"].tensor.float_val[:] = [3]
    doubles = load_functions(tmp_path)["call"]
    path.write_bytes(saved.SerializeToString())
    triples = load_functions(tmp_path)["call"]
    assert float(doubles(x=1)["y"]) == 2
    assert float(triples(x=1)["y"]) == 3


def test_outputs_and_saved_values_are_known_before_a_call(saved):
    module, folder = saved
    assert sorted(load_functions(folder)["repeat"].outputs) == ["sum", "times"]
    assert load_value(folder, "step") == module.step.numpy()


@pytest.mark.parametrize("inputs", [{"x": 1}, {"x": 1, "times": 1, "y": 1}])
def test_other_inputs_are_refused(saved, inputs):
    _, folder = saved
    message = rf"Expected inputs \['times', 'x'\], received {sorted(inputs)}."
    with pytest.raises(TypeError, match=message.replace("received [", r"received \[")):
        load_functions(folder)["repeat"](**inputs)
