"""Runs a model with tensors in place of its variables."""

import contextlib
import threading
from collections.abc import Sequence

import tensorflow as tf
from tensorflow.python.ops.resource_variable_ops import (
    BaseResourceVariable as _Variable,
)

_active = threading.local()  # Each thread has its own replacements.
_read = _Variable._read_variable_op


def _read_or_replacement(variable, *args, **kwargs):
    replacements = getattr(_active, "replacements", {})
    if id(variable) in replacements:
        return replacements[id(variable)]
    return _read(variable, *args, **kwargs)


def _component(variable):
    """The variable that TensorFlow reads: unwrapped, and of this replica."""
    variable = getattr(variable, "_variable", variable)  # Mixed precision wraps.
    return variable._get() if hasattr(variable, "_get") else variable


@contextlib.contextmanager
def replaced(variables: Sequence[tf.Variable], tensors: Sequence[tf.Tensor]):
    """Inside, in this thread, reading one of the variables returns its tensor.

    Keras 2 has no stateless call. In a graph, every read of a variable passes through
    one private method of TensorFlow, which is patched; the pinned version makes this
    safe.

    For use inside a `tf.function`: eager operations may read variables directly.
    """
    assert len(variables) == len(tensors)
    keys = [id(_component(variable)) for variable in variables]
    outer = getattr(_active, "replacements", {})
    _active.replacements = {**outer, **dict(zip(keys, tensors))}
    try:
        with _patch:
            yield
    finally:
        _active.replacements = outer


class _Patch:
    """Patches TensorFlow's read of variables while any thread is inside."""

    def __init__(self):
        self._lock, self._count = threading.Lock(), 0

    def __enter__(self):
        with self._lock:
            self._count += 1
            _Variable._read_variable_op = _read_or_replacement

    def __exit__(self, *_):
        with self._lock:
            self._count -= 1
            if not self._count:
                _Variable._read_variable_op = _read


_patch = _Patch()
