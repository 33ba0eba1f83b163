"""Calls signatures of an export in a process that is like a server: see `c_api`."""

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

_PROGRAM = Path(__file__).with_name("c_api.py")


def strings(*values: bytes) -> np.ndarray:
    """Strings as a call takes them."""
    array = np.empty(len(values), object)
    array[:] = values
    return array


def meta_graph(folder: Path) -> MetaGraphDef:
    """The only graph of an export."""
    model = SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    (graph,) = model.meta_graphs
    return graph


def run(folder: Path, calls: list, scratch: Path) -> list:
    """Runs calls one after the other in one process.

    Args:
        folder: of the export.
        calls: pairs of a signature's name and arrays by the names of its inputs.
        scratch: a folder for files in between. `operations` becomes a serialized
            `OpList` of all operations in that process.

    Returns:
        For each call arrays by the names of its outputs, or an error's message.
    """
    signatures = meta_graph(folder).signature_def
    tensors = []
    for name, arrays in calls:
        feeds = {signatures[name].inputs[key].name: a for key, a in arrays.items()}
        outputs = signatures[name].outputs
        tensors.append((feeds, [outputs[key].name for key in sorted(outputs)]))
    (scratch / "calls").write_bytes(pickle.dumps(tensors))
    subprocess.run(
        [
            *(sys.executable, "-I", _PROGRAM, Path(tf.__file__).parent, folder),
            *(scratch / "calls", scratch / "results"),
        ],
        check=True,
        capture_output=True,
    )
    results, known = pickle.loads((scratch / "results").read_bytes())
    (scratch / "operations").write_bytes(known)
    return [
        each
        if isinstance(each, str)
        else dict(zip(sorted(signatures[name].outputs), each))
        for (name, _), each in zip(calls, results)
    ]
