"""TensorFlow Serving over gRPC."""

from __future__ import annotations

import math
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


class TensorFlowServing(Connection):
    """See `Connection`. The constructor imports TensorFlow, which defines the messages.

    Args:
        url: the URL.
        address: `HOST:PORT` in it.
        deadline: as for `Connection`.
    """

    def __init__(self, url: str, address: str, deadline: float = DEADLINE):
        super().__init__(url, deadline)
        try:
            import grpc
            import tensorflow as tf
            from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc
        except ImportError as error:
            raise ServerError(
                f"{url} needs tensorflow-serving-api: "
                "install tf_imgcomp with its extra 'client'"
            ) from error
        self._tf, self._grpc, self._messages = tf, grpc, predict_pb2
        channel = grpc.insecure_channel(address, CHANNEL_OPTIONS)
        self._stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)

    def _call(
        self, model: str, signature: str, inputs: dict[str, np.ndarray], seconds: float
    ) -> dict[str, np.ndarray]:
        tf = self._tf
        request = self._messages.PredictRequest()
        request.model_spec.name = model
        request.model_spec.signature_name = signature
        for name, array in inputs.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(array))
        try:
            response = self._stub.Predict(request, timeout=seconds)
        except self._grpc.RpcError as error:
            raise CallError(error.code().name, error.details() or "") from error
        with sense_made(self.url):
            return {name: self._array(each) for name, each in response.outputs.items()}

    def _array(self, tensor: Any) -> np.ndarray:
        """Returns the array of a TensorProto.

        Rejects missing elements: TensorFlow fills them with copies, so a few bytes
        could claim more than memory holds.
        """
        count = math.prod(each.size for each in tensor.tensor_shape.dim)
        if count > tensor.ByteSize():  # An element takes at least one.
            raise ValueError(f"{count} elements in {tensor.ByteSize()} bytes")
        return self._tf.make_ndarray(tensor)
