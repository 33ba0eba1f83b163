"""Deadlines, repeated tries and errors of calls to a server."""

import json
import subprocess
import sys

import numpy as np
import pytest

from tf_imgcomp.client import connection, kserve, urls
from tf_imgcomp.client.connection import CallError, Connection
from tf_imgcomp.client.results import checked
from tf_imgcomp.errors import ModelError, ServerError

URL = "kserve://localhost:1"
CARD = {"id": "m", "fingerprint": 7, "bytes_per_pixel": 1.0, "tile": 64, "border": 4}


class StubConnection(Connection):
    """A server that fails with each of some errors in turn, and then answers."""

    def __init__(self, *failures, deadline=60.0, **outputs):
        super().__init__(URL, deadline)
        self.failures, self.outputs, self.calls = list(failures), outputs, []

    def _call(self, model, signature, inputs, seconds):
        self.calls.append(seconds)
        if self.failures:
            raise CallError(*self.failures.pop(0))
        return self.outputs


@pytest.fixture
def pauses(monkeypatch):
    """The pauses between tries, which take no time; the clock goes on with them."""
    slept = []
    monkeypatch.setattr(connection.time, "sleep", slept.append)
    monkeypatch.setattr(connection.time, "monotonic", lambda: 1000 + sum(slept))
    return slept


def told(card=CARD, error=b""):
    text = card if isinstance(card, bytes) else json.dumps(card).encode()
    return {"cards": np.array([text], object), "error": np.array([error], object)}


def test_a_server_that_is_not_available_is_called_again_later(pauses):
    failures = [("UNAVAILABLE", "restarting")] * 6
    server = StubConnection(*failures, answer=1)
    assert server.call("m", "s") == {"answer": 1}
    assert len(pauses) == 6
    for number, pause in enumerate(pauses):
        longest = min(0.2 * 2**number, 4)
        assert longest / 2 <= pause <= longest


def test_tries_end_with_the_deadline(pauses):
    server = StubConnection(*[("UNAVAILABLE", "gone\n away")] * 99, deadline=20)
    with pytest.raises(ServerError, match=f"{URL} is not available: gone away$"):
        server.call("m", "s")
    assert 20 - 4 <= sum(pauses) < 20
    assert server.calls[0] == 20
    assert server.calls == sorted(server.calls, reverse=True)


def test_a_wrong_address_is_told_soon(pauses):
    server = StubConnection(*[("UNAVAILABLE", "no one")] * 99)
    with pytest.raises(ServerError, match="is not available: no one"):
        server.card("m")
    assert sum(pauses) < 10


@pytest.mark.parametrize(
    ("code", "type_", "message"),
    [
        ("INVALID_ARGUMENT", ServerError, ": INVALID_ARGUMENT: why$"),
        ("INTERNAL", ServerError, ": INTERNAL: why$"),
        ("DEADLINE_EXCEEDED", ServerError, ": no answer in 60 s$"),
        ("NOT_FOUND", ModelError, " does not have model 'm': why$"),
    ],
)
def test_what_will_not_change_is_not_tried_again(pauses, code, type_, message):
    with pytest.raises(type_, match=URL + message):
        StubConnection((code, "why")).call("m", "s")
    assert not pauses


def test_a_model_that_was_there_is_waited_for(pauses):
    server = StubConnection(**told())
    server.card("m")
    server.failures = [("NOT_FOUND", "not yet")]
    server.call("m", "s")
    assert len(pauses) == 1


def test_a_batch_of_other_shapes_is_not_joined_again(pauses):
    message = "Tensors with name 'x' from different tasks have different shapes and"
    StubConnection(("FAILED_PRECONDITION", message)).call("m", "s")
    assert len(pauses) == 1


def test_the_card_is_that_of_the_model():
    assert StubConnection(**told()).card("m") == CARD


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (told(error=b"this model is n"), f"{URL}: this model is n, not m"),
        (told({**CARD, "tile": 1}), f"{URL}: model 'm': expected 'tile' of a model"),
        (told(b"{"), f"{URL}: the card of model 'm' is not JSON"),
    ],
)
def test_no_other_card_is_taken(answer, message):
    with pytest.raises(ModelError, match=message):
        StubConnection(**answer).card("m")


@pytest.mark.parametrize(
    "url",
    [
        *("localhost:8500", "http://localhost:8500", "tfs://localhost", "tfs://:8500"),
        *("tfs://host:port", "tfs://host:8500/model", "kserve://user@host:1", ""),
    ],
)
def test_other_urls_are_refused(url):
    with pytest.raises(ServerError, match="expected tfs://HOST:PORT or kserve://"):
        urls.connect(url)


def test_results_of_another_type_or_size_are_refused():
    y_hat = np.zeros((1, 4, 4, 8), np.float32)
    shape = (1, 4, 4, None)
    assert checked(URL, {"y": y_hat}, "y", np.float32, shape) is y_hat
    message = r"expected y float32 \(1, 4, 4, 'any'\), received"
    for outputs in ({}, {"y": y_hat[:, :3]}, {"y": y_hat[0]}, {"y": y_hat.astype(int)}):
        with pytest.raises(ServerError, match=message):
            checked(URL, outputs, "y", np.float32, shape)


def test_of_a_failure_in_triton_its_reason_is_told():
    message = """Failed to process the request(s) for model 'm', message: \
TritonModelException: Model execute error: Traceback (most recent call last):
  File "/tmp/folder/1/model.py", line 492, in execute
c_python_backend_utils.TritonModelException: tf_imgcomp.servers.triton._Refusal: why

At:
  /tmp/folder/1/model.py(501): execute
"""
    assert kserve.reason(message) == "why"
    assert kserve.reason("no such model") == "no such model"


def test_a_client_of_kserve_does_not_wait_for_tensorflow():
    pytest.importorskip("tritonclient.grpc", reason="the client is not installed")
    code = (
        "import sys; from tf_imgcomp.client import remote_models, urls; "
        f"urls.connect({URL!r}); assert 'tensorflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
