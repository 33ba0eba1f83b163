"""KServe v2 over gRPC, as NVIDIA Triton speaks it.

A KServe model has one signature, so each signature of an export is served as a model.
An element of a batch needs an axis, so `[b]` becomes `[b, 1]`.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from tf_imgcomp.client.connection import (
    CHANNEL_OPTIONS,
    DEADLINE,
    CallError,
    Connection,
)
from tf_imgcomp.client.results import sense_made
from tf_imgcomp.errors import ServerError

# The message of the last exception, without the name of `servers.triton._Refusal`.
_FAILED_CALL = re.compile(
    r".*TritonModelException: (?:[\w.]*_Refusal: )?([^\n]+)", re.DOTALL
)


def served_name(model: str, signature: str) -> str:
    """The name of a signature on the server, which has no plus sign in names."""
    return f"{model.replace('+', '--')}.{signature}"


def reason(message: str) -> str:
    """What Triton says of a failed call, without the stack of its own process."""
    found = _FAILED_CALL.match(message)
    return found[1] if found else message


class KServe(Connection):
    """See `Connection`; TensorFlow is not imported.

    Args:
        url: the URL.
        address: `HOST:PORT` in it.
        deadline: as for `Connection`.
    """

    def __init__(self, url: str, address: str, deadline: float = DEADLINE):
        super().__init__(url, deadline)
        try:
            from tritonclient import grpc, utils
        except (ImportError, RuntimeError) as error:  # The latter without gRPC.
            raise ServerError(
                f"{url} needs tritonclient: install tf_imgcomp with its extra 'client'"
            ) from error
        self._grpc, self._utils = grpc, utils
        self._client = grpc.InferenceServerClient(address, channel_args=CHANNEL_OPTIONS)

    def _call(
        self, model: str, signature: str, inputs: dict[str, np.ndarray], seconds: float
    ) -> dict[str, np.ndarray]:
        try:
            result = self._client.infer(
                served_name(model, signature),
                [self._input(name, array) for name, array in inputs.items()],
                client_timeout=seconds,
            )
        except self._utils.InferenceServerException as error:
            code = (error.status() or "").rpartition(".")[2]
            raise CallError(code, reason(error.message() or "")) from error
        with sense_made(self.url):
            outputs = {
                each.name: result.as_numpy(each.name)
                for each in result.get_response().outputs
            }
        return {
            name: array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array
            for name, array in outputs.items()
        }

    def _input(self, name: str, array: np.ndarray) -> Any:
        array = array[:, None] if array.ndim == 1 else array
        type_ = self._utils.np_to_triton_dtype(array.dtype)
        tensor = self._grpc.InferInput(name, list(array.shape), type_)
        return tensor.set_data_from_numpy(array)
