"""Calling a Keras model as a pure function of its parameters."""

import contextlib
import threading
from collections.abc import Sequence

import tensorflow as tf
from tensorflow.python.ops import resource_variable_ops

_active = threading.local()
_read = resource_variable_ops.BaseResourceVariable._read_variable_op


def _read_or_replacement(variable, *args, **kwargs):
    replacements = getattr(_active, "replacements", {})
    if id(variable) in replacements:
        return replacements[id(variable)]
    return _read(variable, *args, **kwargs)


@contextlib.contextmanager
def replaced(variables: Sequence[tf.Variable], tensors: Sequence[tf.Tensor]):
    """Inside, reading one of the variables returns the tensor in its place.

    Keras 2 has no stateless call. Every read of a variable passes through one private
    method of TensorFlow's; the pinned version makes it safe to stand there.
    """
    assert len(variables) == len(tensors)
    # Mixed precision wraps variables; the reads happen on the wrapped one.
    wrapped = [getattr(variable, "_variable", variable) for variable in variables]
    resource_variable_ops.BaseResourceVariable._read_variable_op = _read_or_replacement
    outer = getattr(_active, "replacements", {})
    _active.replacements = {
        **outer,
        **{id(variable): t for variable, t in zip(wrapped, tensors)},
    }
    try:
        yield
    finally:
        _active.replacements = outer
        if not outer:
            resource_variable_ops.BaseResourceVariable._read_variable_op = _read
