"""Loads the functions of a SavedModel in a sixth of the time of `tf.saved_model.load`.

That function makes a Python object of each node. This hands the functions to TensorFlow
as they are, and calls them by name (docs/startup.md).
"""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.core.framework.node_def_pb2 import NodeDef
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef, SignatureDef
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel
from tensorflow.python.eager import context
from tensorflow.python.framework import op_def_registry

_VARIABLES = Path("variables", "variables")


class SavedFunction:
    """A function that was saved as a signature.

    Args:
        node: its call in the graph of the SavedModel.
        signature: its inputs and outputs in that graph.
        variables: their handles by the names of their nodes.
    """

    def __init__(
        self, node: NodeDef, signature: SignatureDef, variables: dict[str, tf.Tensor]
    ):
        self._node, self._variables = node, variables
        self._inputs = signature.inputs
        self._outputs = {
            name: int(tensor.name.rpartition(":")[2])
            for name, tensor in signature.outputs.items()
        }

    @property
    def outputs(self) -> list[str]:
        """The names of what a call returns."""
        return [*self._outputs]

    def __call__(self, **inputs: Any) -> dict[str, tf.Tensor]:
        """Calls the function.

        Args:
            inputs: by name; each is a tensor, or becomes one.

        Raises:
            TypeError: If one is missing, or the function has no such input.
        """
        if inputs.keys() != self._inputs.keys():
            raise TypeError(
                f"Expected inputs {sorted(self._inputs)}, received {sorted(inputs)}."
            )
        tensors = self._variables | {
            _node(tensor.name): tf.convert_to_tensor(inputs[name], tensor.dtype)
            for name, tensor in self._inputs.items()
        }
        results = _call(self._node, tensors)
        return {name: results[place] for name, place in self._outputs.items()}


def load_functions(folder: Path) -> dict[str, SavedFunction]:
    """The functions that were saved as signatures, by name.

    Args:
        folder: a folder that `tf.saved_model.save` wrote for a module whose only
            resources are variables.

    Raises:
        Exception: Of almost any type, if a file is missing or damaged.
    """
    data = (folder / "saved_model.pb").read_bytes()
    (saved,) = SavedModel.FromString(data).meta_graphs
    _make_names_unique(saved, hashlib.sha256(data).hexdigest()[:16])
    for function in saved.graph_def.library.function:
        context.context().add_function_def(function)
    nodes = {node.name: node for node in saved.graph_def.node}
    variables = {
        name: _variable(node)
        for name, node in nodes.items()
        if node.op == "VarHandleOp"
    }
    filename = {_node(saved.saver_def.filename_tensor_name): str(folder / _VARIABLES)}
    _call(nodes[saved.saver_def.restore_op_name], variables | filename)
    return {
        name: SavedFunction(nodes[_caller(signature)], signature, variables)
        for name, signature in saved.signature_def.items()
        if not name.startswith("__")  # TensorFlow's own.
    }


def load_value(folder: Path, attribute: str) -> Any:
    """The saved value of a variable, an attribute of the module; NumPy."""
    reader = tf.train.load_checkpoint(str(folder / _VARIABLES))
    return reader.get_tensor(f"{attribute}/.ATTRIBUTES/VARIABLE_VALUE")


def _call(node: NodeDef, tensors: dict[str, Any]) -> list[tf.Tensor]:
    """The results of a function's call, given tensors by the names of their nodes.

    TensorFlow calls functions that it traced in the same direct way. Called through an
    operation (PartitionedCall), networks take 3 % longer.
    """
    inputs = [name for name in node.input if not name.startswith("^")]
    return context.context().call_function(
        node.attr["f"].func.name.encode(),
        [tf.convert_to_tensor(tensors[_node(name)]) for name in inputs],
        len(node.attr["Tout"].list.type),
    )


def _variable(node: NodeDef) -> tf.Tensor:
    """The handle of a new variable like one in a graph; it lives as long as this."""
    return tf.raw_ops.VarHandleOp(
        dtype=tf.as_dtype(node.attr["dtype"].type),
        shape=tf.TensorShape(node.attr["shape"].shape),
        shared_name=context.anonymous_name(),
    )


def _make_names_unique(saved: MetaGraphDef, suffix: str) -> None:
    """Adds a suffix to the names of all functions: other models have the same names."""
    functions = saved.graph_def.library.function
    for function in functions:
        function.signature.name += suffix
    for node in [*saved.graph_def.node, *(n for f in functions for n in f.node_def)]:
        for name in _function_attributes(node.op):
            value = node.attr[name]
            for called in [value.func] if value.HasField("func") else value.list.func:
                called.name += suffix


@functools.cache
def _function_attributes(op: str) -> list[str]:
    """The attributes of an operation that name functions."""
    kinds = "func", "list(func)"
    return [each.name for each in op_def_registry.get(op).attr if each.type in kinds]


def _caller(signature: SignatureDef) -> str:
    """The name of the node that all outputs come from."""
    return _node(next(iter(signature.outputs.values())).name)


def _node(tensor: str) -> str:
    """The name of the node of a tensor."""
    return tensor.partition(":")[0]
