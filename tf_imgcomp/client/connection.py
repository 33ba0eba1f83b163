"""Calls to a server: one deadline, retries while it is not available, typed errors."""

from __future__ import annotations

import json
import random
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np

from tf_imgcomp.client.results import string, text
from tf_imgcomp.errors import ImgcompError, ModelError, ServerError
from tf_imgcomp.model_folder import check_card

DEADLINE = 60.0  # Seconds.
# A tile and its latents are larger than what gRPC takes by default. By default
# a channel waits up to two minutes before it connects again.
CHANNEL_OPTIONS = [
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2000),
]
# A wrong address should be reported soon, but a server that restarts needs time.
_FIRST_CONTACT = 10.0  # Seconds.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 4.0  # Seconds between two tries.


class CallError(Exception):
    """A call that failed.

    Args:
        code: name of the gRPC status, such as UNAVAILABLE.
        details: what the server, or gRPC, says.
    """

    def __init__(self, code: str, details: str):
        super().__init__(f"{code}: {details}")
        self.code, self.details = code, details


class Connection(ABC):
    """A server of serving exports. Threads may share a connection.

    Args:
        url: `SCHEME://HOST:PORT`.
        deadline: seconds that a call may take, with all its retries.

    Attributes:
        url: the same.
    """

    def __init__(self, url: str, deadline: float = DEADLINE):
        self.url, self._deadline = url, deadline
        self._known: set[str] = set()

    def card(self, model: str) -> dict:
        """The card of a model.

        Args:
            model: its id.

        Raises:
            ModelError: If the server does not have it, or its card is no good.
            ServerError: As from `call`.
        """
        ids = np.array([model.encode()], object)
        seconds = min(self._deadline, _FIRST_CONTACT)
        told = self._call_in_time(model, "card", {"ids": ids}, seconds)
        refusal = text(self.url, told, "error")
        if refusal:
            raise ModelError(f"{self.url}: {refusal}, not {model}")
        try:
            card = json.loads(string(self.url, told, "cards"))
        except (ValueError, RecursionError) as error:
            message = f"{self.url}: the card of model {model!r} is not JSON: {error}"
            raise ModelError(message) from error
        check_card(card, f"{self.url}: model {model!r}")
        if card["id"] != model:
            raise ModelError(f"{self.url}: the card of {model!r} is of {card['id']!r}")
        self._known.add(model)
        return card

    def call(
        self, model: str, signature: str, **inputs: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Calls a signature of a serving export; see `serving.codec`.

        Results depend on the inputs alone, so a call that was cut off is made again.

        Args:
            model: its id.
            signature: name of the signature.
            inputs: arrays; strings are bytes in an array of objects.

        Returns:
            Arrays by the names of the outputs.

        Raises:
            ServerError: If the server is not available, refuses or fails, does not
                answer in time, or answers nonsense.
            ModelError: If the server does not have the model.
        """
        return self._call_in_time(model, signature, inputs, self._deadline)

    def _call_in_time(
        self, model: str, signature: str, inputs: dict[str, np.ndarray], seconds: float
    ) -> dict[str, np.ndarray]:
        end = time.monotonic() + seconds
        for pause in _pauses():
            try:
                left = max(end - time.monotonic(), 0.001)
                return self._call(model, signature, inputs, left)
            except CallError as error:
                is_late = time.monotonic() + pause >= end
                if is_late or not self._can_be_tried_again(model, error):
                    raise self._told(model, error, seconds) from error
            time.sleep(pause)
        raise AssertionError("there is always another pause")

    def _can_be_tried_again(self, model: str, error: CallError) -> bool:
        if error.code == "NOT_FOUND":  # A server that starts gets its models last.
            return model in self._known
        return error.code == "UNAVAILABLE" or _MIXED_BATCH in error.details

    def _told(self, model: str, error: CallError, seconds: float) -> ImgcompError:
        details = " ".join(error.details.split())
        if error.code == "NOT_FOUND":
            return ModelError(f"{self.url} does not have model {model!r}: {details}")
        if error.code == "DEADLINE_EXCEEDED":
            return ServerError(f"{self.url}: no answer in {seconds:g} s")
        if error.code == "UNAVAILABLE":
            return ServerError(f"{self.url} is not available: {details}")
        return ServerError(f"{self.url}: {error.code}: {details}")

    @abstractmethod
    def _call(
        self, model: str, signature: str, inputs: dict[str, np.ndarray], seconds: float
    ) -> dict[str, np.ndarray]:
        """Calls once.

        Raises:
            CallError: If there is no result.
            ServerError: If it makes no sense.
        """


# Of TensorFlow Serving, if it put requests of different shapes into one batch.
_MIXED_BATCH = "from different tasks have different shapes"


def _pauses() -> Iterator[float]:
    """Seconds between tries: twice as long each time, shortened at random.

    Clients that a server cut off thus do not come back all at once.
    """
    pause = _FIRST_PAUSE
    while True:
        yield pause * random.uniform(0.5, 1)
        pause = min(2 * pause, _LONGEST_PAUSE)
