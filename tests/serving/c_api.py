"""Runs a SavedModel through TensorFlow's C API alone: the code path of a server.

    python c_api.py TENSORFLOW EXPORT CALLS RESULTS

TENSORFLOW is the folder of the installed package, whose libraries are loaded; neither
its Python nor any other operation than its own. CALLS is a pickled list of pairs:
arrays by the names of tensors to feed, and names of tensors to fetch. RESULTS becomes a
pickled pair: a list of lists of arrays, or of the message of the error of a call; and
all operations that there are, a serialized `OpList`.
"""

import ctypes
import pickle
import sys
from ctypes import POINTER, c_char_p, c_int, c_int64, c_size_t, c_void_p
from pathlib import Path

import numpy as np

_TYPES = {1: "float32", 3: "int32", 4: "uint8", 7: "object", 9: "int64", 10: "bool"}
_STRING = 7
_STRING_SIZE = 24  # Bytes of a TF_TString.


class _Buffer(ctypes.Structure):
    _fields_ = [("data", c_void_p), ("length", c_size_t), ("deallocator", c_void_p)]


class _Output(ctypes.Structure):
    _fields_ = [("operation", c_void_p), ("index", c_int)]


_POINTERS = [c_void_p, c_int]
_SIGNATURES = {
    "TF_NewStatus": (c_void_p, []),
    "TF_GetCode": (c_int, [c_void_p]),
    "TF_Message": (c_char_p, [c_void_p]),
    "TF_GetAllOpList": (POINTER(_Buffer), []),
    "TF_NewGraph": (c_void_p, []),
    "TF_NewSessionOptions": (c_void_p, []),
    "TF_LoadSessionFromSavedModel": (
        c_void_p,
        [c_void_p, c_void_p, c_char_p, POINTER(c_char_p), c_int, *[c_void_p] * 3],
    ),
    "TF_GraphOperationByName": (c_void_p, [c_void_p, c_char_p]),
    "TF_AllocateTensor": (c_void_p, [c_int, POINTER(c_int64), c_int, c_size_t]),
    "TF_DeleteTensor": (None, [c_void_p]),
    "TF_TensorData": (c_void_p, [c_void_p]),
    "TF_TensorType": (c_int, [c_void_p]),
    "TF_NumDims": (c_int, [c_void_p]),
    "TF_Dim": (c_int64, [c_void_p, c_int]),
    "TF_TensorByteSize": (c_size_t, [c_void_p]),
    "TF_StringInit": (None, [c_void_p]),
    "TF_StringCopy": (None, [c_void_p, c_char_p, c_size_t]),
    "TF_StringGetDataPointer": (c_void_p, [c_void_p]),
    "TF_StringGetSize": (c_size_t, [c_void_p]),
    "TF_SessionRun": (
        None,
        [
            *(c_void_p, c_void_p),
            *(POINTER(_Output), POINTER(c_void_p), c_int),
            *(POINTER(_Output), POINTER(c_void_p), c_int),
            *(c_void_p, c_int, c_void_p, c_void_p),
        ],
    ),
}


class Session:
    """A loaded SavedModel."""

    def __init__(self, tensorflow: Path, export: Path):
        for name in ("libtensorflow_framework.so.2", "libtensorflow_cc.so.2"):
            self._library = ctypes.CDLL(str(tensorflow / name), ctypes.RTLD_GLOBAL)
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(self._library, name)
            function.restype, function.argtypes = result, arguments
        library = self._library
        self._status, self._graph = library.TF_NewStatus(), library.TF_NewGraph()
        tags = (c_char_p * 1)(b"serve")
        self._session = library.TF_LoadSessionFromSavedModel(
            library.TF_NewSessionOptions(),
            None,
            str(export).encode(),
            tags,
            1,
            self._graph,
            None,
            self._status,
        )
        self._check()

    def operations(self) -> bytes:
        """All operations that there are, a serialized `OpList`."""
        buffer = self._library.TF_GetAllOpList().contents
        return ctypes.string_at(buffer.data, buffer.length)

    def run(self, feeds: dict, fetches: list) -> list:
        """Arrays of the tensors to fetch."""
        library = self._library
        tensors = [self._tensor(array) for array in feeds.values()]
        results = (c_void_p * len(fetches))()
        library.TF_SessionRun(
            *(self._session, None, self._outputs(feeds)),
            *((c_void_p * len(tensors))(*tensors), len(tensors)),
            *(self._outputs(fetches), results, len(fetches)),
            *(None, 0, None, self._status),
        )
        for tensor in tensors:
            library.TF_DeleteTensor(tensor)
        self._check()
        arrays = [self._array(tensor) for tensor in results]
        for tensor in results:
            library.TF_DeleteTensor(tensor)
        return arrays

    def _check(self) -> None:
        if self._library.TF_GetCode(self._status):
            raise RuntimeError(self._library.TF_Message(self._status).decode())

    def _outputs(self, names) -> ctypes.Array:
        outputs = (_Output * len(names))()
        for output, name in zip(outputs, names):
            operation, _, index = name.partition(":")
            output.operation = self._library.TF_GraphOperationByName(
                self._graph, operation.encode()
            )
            output.index = int(index)
        return outputs

    def _tensor(self, array: np.ndarray) -> int:
        code = next(code for code, name in _TYPES.items() if array.dtype == name)
        size = _STRING_SIZE * array.size if code == _STRING else array.nbytes
        sides = (c_int64 * array.ndim)(*array.shape)
        tensor = self._library.TF_AllocateTensor(code, sides, array.ndim, size)
        data = self._library.TF_TensorData(tensor)
        if code == _STRING:
            for number, value in enumerate(array.ravel()):
                place = data + _STRING_SIZE * number
                self._library.TF_StringInit(place)
                self._library.TF_StringCopy(place, value, len(value))
        else:
            ctypes.memmove(data, np.ascontiguousarray(array).ctypes.data, size)
        return tensor

    def _array(self, tensor: int) -> np.ndarray:
        library = self._library
        sides = range(library.TF_NumDims(tensor))
        shape = [library.TF_Dim(tensor, side) for side in sides]
        dtype = _TYPES[library.TF_TensorType(tensor)]
        array, data = np.empty(shape, dtype), library.TF_TensorData(tensor)
        if dtype != "object":
            ctypes.memmove(array.ctypes.data, data, library.TF_TensorByteSize(tensor))
            return array
        for number in range(array.size):
            place = data + _STRING_SIZE * number
            pointer = library.TF_StringGetDataPointer(place)
            size = library.TF_StringGetSize(place)
            array.flat[number] = ctypes.string_at(pointer, size)
        return array


def main(tensorflow: str, export: str, calls: str, results: str) -> None:
    session = Session(Path(tensorflow), Path(export))
    outcomes = []
    for feeds, fetches in pickle.loads(Path(calls).read_bytes()):
        try:
            outcomes.append(session.run(feeds, fetches))
        except RuntimeError as error:
            outcomes.append(str(error))
    assert not any(name.startswith("tensorflow") for name in sys.modules)
    Path(results).write_bytes(pickle.dumps((outcomes, session.operations())))


if __name__ == "__main__":
    main(*sys.argv[1:])
