"""Flags for codecs on a server. Importing defines them."""

from __future__ import annotations

from collections.abc import Callable

from absl import flags

from tf_imgcomp.client import remote_models, urls
from tf_imgcomp.client.connection import DEADLINE
from tf_imgcomp.image_codecs.interface import ImageCodec
from tf_imgcomp_bin.command_line import startup

_SERVER = flags.DEFINE_string(
    "server",
    None,
    "Let a server compute, over gRPC: tfs://HOST:PORT for TensorFlow Serving, "
    "kserve://HOST:PORT for Triton and others that speak KServe v2. --model must then "
    "be an id. bin/serve starts a server.",
)
_DEADLINE = flags.DEFINE_float(
    "deadline",
    DEADLINE,
    "Most seconds that a call may take, including repeated tries while the server is "
    "not available. A tile takes one call to compress and two to decompress.",
    lower_bound=0.1,
    upper_bound=1e6,
)


def loader(
    load_here: Callable[[str], ImageCodec], threads: int | None, at_once: int
) -> Callable[[str], ImageCodec]:
    """A function from a model's name to its codec: on the server that the flag names.

    Args:
        load_here: the function without a server.
        threads: see `Workers`; so many tiles are asked for at the same time.
        at_once: photos to code at the same time.
    """
    if _SERVER.value is None:
        return startup.fast_startup(load_here, threads, at_once)
    server = urls.connect(_SERVER.value, _DEADLINE.value)
    workers = startup.workers(threads)
    return lambda model: remote_models.load(server, model, workers)
