"""Connections by URL."""

from __future__ import annotations

import re

from tf_imgcomp.client.connection import DEADLINE, Connection
from tf_imgcomp.client.kserve import KServe
from tf_imgcomp.client.tensorflow_serving import TensorFlowServing
from tf_imgcomp.errors import ServerError

_SCHEMES: dict[str, type[TensorFlowServing | KServe]] = {
    "tfs": TensorFlowServing,
    "kserve": KServe,
}


def connect(url: str, deadline: float = DEADLINE) -> Connection:
    """A connection to a server. It is used first when something is called.

    Args:
        url: `tfs://HOST:PORT` for TensorFlow Serving, `kserve://HOST:PORT` for KServe
            v2, such as Triton; both over gRPC.
        deadline: as for `Connection`.

    Raises:
        ServerError: If the URL is not one of these, or a package is missing.
    """
    found = re.fullmatch(r"(tfs|kserve)://([^/?#@]+:\d{1,5})", url, re.ASCII)
    if not found:
        raise ServerError(
            "expected tfs://HOST:PORT or kserve://HOST:PORT as a server, received "
            f"{url!r}"
        )
    scheme, address = found.groups()
    return _SCHEMES[scheme](url, address, deadline)
