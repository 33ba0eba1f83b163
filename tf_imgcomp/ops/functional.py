"""Calling code that reads variables as a pure function of tensors in their place."""

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


def _component(variable):
    """The variable that is really read: unwrapped, and that of this replica."""
    variable = getattr(variable, "_variable", variable)  # Mixed precision wraps.
    return variable._get() if hasattr(variable, "_get") else variable


@contextlib.contextmanager
def replaced(variables: Sequence[tf.Variable], tensors: Sequence[tf.Tensor]):
    """Inside, reading one of the variables returns the tensor in its place.

    Keras 2 has no stateless call. Every read of a variable passes through one private
    method of TensorFlow's; the pinned version makes it safe to stand there.
    """
    assert len(variables) == len(tensors)
    keys = [id(_component(variable)) for variable in variables]
    resource_variable_ops.BaseResourceVariable._read_variable_op = _read_or_replacement
    outer = getattr(_active, "replacements", {})
    _active.replacements = {
        **outer,
        **dict(zip(keys, tensors)),
    }
    try:
        yield
    finally:
        _active.replacements = outer
        if not outer:
            resource_variable_ops.BaseResourceVariable._read_variable_op = _read
