"""TensorFlow Serving's PredictionService in this process, on real exports.

Errors are those of a `tensorflow_model_server`, as far as its clients see them.
"""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

_OPTIONS = [("grpc.max_receive_message_length", 2**31 - 1)]  # As there.


class Service(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Answers `Predict`.

    Args:
        exports: folders `<id>/<version>`.

    Attributes:
        interrupt: called before each answer; may end it with an error.
    """

    def __init__(self, exports):
        self._models = {
            folder.parent.name: tf.saved_model.load(str(folder)).signatures
            for folder in exports
        }
        self.interrupt = lambda context: None

    def Predict(self, request, context):  # noqa: N802
        self.interrupt(context)
        spec = request.model_spec
        if spec.name not in self._models:
            message = f"Servable not found for request: Latest({spec.name})"
            context.abort(grpc.StatusCode.NOT_FOUND, message)
        signatures = self._models[spec.name]
        if spec.signature_name not in signatures:
            message = f"Serving signature name: {spec.signature_name!r} not found"
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, message)
        function = signatures[spec.signature_name]
        expected = function.structured_input_signature[1]
        inputs = {name: tf.make_ndarray(each) for name, each in request.inputs.items()}
        try:
            if inputs.keys() != expected.keys():
                raise ValueError("input size does not match signature")
            tensors = {
                name: tf.constant(array, expected[name].dtype)
                for name, array in inputs.items()
            }
            outputs = function(**tensors)
        except (ValueError, TypeError, tf.errors.OpError) as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        response = predict_pb2.PredictResponse()
        for name, tensor in outputs.items():
            proto = tf.make_tensor_proto(tensor.numpy())
            response.outputs[name].CopyFrom(proto)
        return response


@contextmanager
def running(service: Service, port: int = 0):
    """Serves on loopback; gives the port."""
    server = grpc.server(ThreadPoolExecutor(4), options=_OPTIONS)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(service, server)
    port = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    try:
        yield port
    finally:
        server.stop(grace=None).wait()
