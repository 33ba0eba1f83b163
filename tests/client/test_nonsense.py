"""Servers that answer nonsense: each answer is one error that programs tell."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest

from tf_imgcomp.client import urls
from tf_imgcomp.client.remote_codec import RemoteTileCoder
from tf_imgcomp.errors import ImgcompError, ModelError, ServerError

grpc = pytest.importorskip("grpc", reason="the client is not installed")

MUTANTS = 400
CARD = {"id": "m", "fingerprint": 7, "bytes_per_pixel": 1.0, "tile": 64, "border": 4}
CROP = np.zeros(4, np.int32)


def strings(*values):
    array = np.empty(len(values), object)
    array[:] = values
    return array


SOUND = {
    "cards": strings(json.dumps(CARD).encode()),
    "first": strings(b"first"),
    "rest": strings(b""),
    "y_hat": np.ones((1, 4, 4, 3), np.float32),
    "images": np.ones((1, 64, 64, 3), np.uint8),
    "error": strings(b""),
}


def tensorflow_serving_message(arrays):
    tf = pytest.importorskip("tensorflow")
    apis = pytest.importorskip("tensorflow_serving.apis.predict_pb2")
    response = apis.PredictResponse()
    for name, array in arrays.items():
        response.outputs[name].CopyFrom(tf.make_tensor_proto(array))
    return response


def kserve_message(arrays):
    service = pytest.importorskip("tritonclient.grpc.service_pb2")
    utils = pytest.importorskip("tritonclient.utils")
    response = service.ModelInferResponse()
    for name, array in arrays.items():
        array = array[:, None] if array.ndim == 1 else array
        kind = utils.np_to_triton_dtype(array.dtype)
        response.outputs.add(name=name, datatype=kind, shape=array.shape)
        if array.dtype == object:
            array = utils.serialize_byte_tensor(array)
            data = array.item() if array.size else b""
        else:
            data = array.tobytes()
        response.raw_output_contents.append(data)
    return response


MESSAGES = {"tfs": tensorflow_serving_message, "kserve": kserve_message}


class Server(grpc.GenericRpcHandler):
    """Answers every call with the same bytes.

    Attributes:
        answer: the bytes.
    """

    answer = b""

    def service(self, details):
        return grpc.unary_unary_rpc_method_handler(lambda request, context: self.answer)


@contextmanager
def running():
    """A `Server` on loopback, and its port."""
    service, server = Server(), grpc.server(ThreadPoolExecutor(1))
    server.add_generic_rpc_handlers((service,))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield service, port
    finally:
        server.stop(grace=None).wait()


@pytest.fixture(params=MESSAGES)
def answering(request):
    """A connection to a server, and a function that sets its answer to arrays."""
    make_message = MESSAGES[request.param]
    make_message(SOUND)  # Skips if a package is missing.
    with running() as (service, port):
        server = urls.connect(f"{request.param}://127.0.0.1:{port}", deadline=20)

        def answer(arrays):
            service.answer = make_message(arrays).SerializeToString()
            return service

        yield server, answer


def calls(server):
    """Everything that a client asks for."""
    coder = RemoteTileCoder(server, CARD)
    tile = np.zeros((64, 64, 3), np.uint8)
    return [
        lambda: server.card("m"),
        lambda: coder.compress(tile, CROP, 50),
        lambda: coder.decode(b"", b"", 4, 4, 50),
        lambda: coder.decode_first(b"", 4, 4, 50),
        lambda: coder.synthesis(np.zeros((4, 4, 3)), CROP, 50),
        lambda: coder.preview(np.zeros((4, 4, 3)), CROP, 50, 1),
    ]


def test_a_sound_answer_is_taken(answering):
    server, answer = answering
    answer(SOUND)
    for call in calls(server):
        call()


@pytest.mark.parametrize(
    "changes",
    [
        *({"error": strings()}, {"error": np.zeros(1, np.float32)}),
        *({"error": np.zeros((1, 2), np.int32)}, {"error": strings(b"\xff", b"")}),
    ],
)
def test_an_answer_without_its_error_is_refused(answering, changes):
    server, answer = answering
    answer({**SOUND, **changes})
    for call in calls(server)[:4]:
        with pytest.raises(ServerError, match="expected error object"):
            call()


@pytest.mark.parametrize("name", ["first", "rest", "y_hat", "images", "cards"])
@pytest.mark.parametrize("array", [np.zeros((1, 0), np.float32), strings(), None])
def test_a_missing_result_is_told(answering, name, array):
    server, answer = answering
    changed = {key: each for key, each in SOUND.items() if key != name}
    answer(changed if array is None else {**changed, name: array})
    told = []
    for call in calls(server):
        try:
            call()
        except ServerError as error:
            told.append(str(error))
    assert told
    for message in told:
        assert f"expected {name} " in message


def test_an_error_may_be_any_bytes(answering):
    server, answer = answering
    answer({**SOUND, "error": strings(b"\xff no")})
    for call in calls(server)[:4]:
        with pytest.raises(ImgcompError, match="\ufffd no"):
            call()


@pytest.mark.parametrize(
    ("card", "message"),
    [
        (b"\xff", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "expected 'id' of a model"),
        (json.dumps({**CARD, "id": "other"}).encode(), "the card of 'm' is of 'other'"),
    ],
)
def test_no_other_card_is_taken(answering, card, message):
    server, answer = answering
    answer({**SOUND, "cards": strings(card)})
    with pytest.raises(ModelError, match=message):
        server.card("m")


def test_tiles_of_an_image_have_one_depth(answering):
    server, answer = answering
    decode = calls(server)[2]
    answer(SOUND)
    decode()
    answer({**SOUND, "y_hat": np.ones((1, 4, 4, 5), np.float32)})
    with pytest.raises(ServerError, match=r"expected y_hat float32 \(1, 4, 4, 3\)"):
        decode()


def test_few_bytes_do_not_become_a_large_array():
    message = tensorflow_serving_message({"error": np.zeros(2, np.float32)})
    shape = message.outputs["error"].tensor_shape
    for size in (2**40, 2**62):
        shape.dim[0].size = size
        with running() as (service, port):
            service.answer = message.SerializeToString()
            server = urls.connect(f"tfs://127.0.0.1:{port}")
            with pytest.raises(ServerError, match=f"{size} elements in "):
                server.call("m", "s")


def test_whatever_bytes_a_server_sends_there_is_one_kind_of_error(answering):
    server, answer = answering
    service, random = answer(SOUND), np.random.default_rng(1)
    sound, refused = service.answer, 0
    for number in range(MUTANTS):
        data = bytearray(sound)
        for place in random.integers(len(data), size=random.integers(1, 4)):
            data[place] = random.choice([random.integers(256), 0, 127, 128, 255])
        service.answer = bytes(
            data[: random.integers(len(data))] if number % 4 else data
        )
        for call in calls(server):
            try:
                call()
            except ImgcompError:
                refused += 1
    assert refused
