#!/usr/bin/env -S python3 -I
"""Serves models over gRPC and HTTP.

    bin/serve --models=fdram,bpg+xue2019
    bin/compress --server=kserve://localhost:8500 photo.jpg

Starts tensorflow_model_server (tfs://) if it is installed, else NVIDIA Triton
(kserve://; extra `serve` of tf_imgcomp), and says which. Models are exported first if
that was not done before, a minute or two each. SIGTERM tells Triton to end after the
requests that are under way. There is no encryption and no password: see docs/serving.md
before you let strangers in.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # No start-up noise.

import signal
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from absl import app, flags

from tf_imgcomp.errors import ServerError
from tf_imgcomp.servers.options import ServerOptions
from tf_imgcomp_bin.command_line import messages, program

PROGRAM = "serve"

_DEFAULTS = ServerOptions()
_MODELS = flags.DEFINE_list("models", ["fdram"], "Ids or folders of models.")
_EXPORTS = flags.DEFINE_string(
    "exports",
    "~/.cache/tf_imgcomp/serving",
    "Folder of exports, as bin/export_serving writes it. Missing and outdated ones are "
    "written there.",
)
_MEGAPIXELS = flags.DEFINE_float(
    "max_megapixels", 67.0, "The server refuses larger images.", 0.01, 1000.0
)
_ADDRESS = flags.DEFINE_string(
    "address",
    _DEFAULTS.address,
    "Address to listen at; 0.0.0.0 for all. tensorflow_model_server always listens at "
    "all.",
)
_GRPC_PORT = flags.DEFINE_integer(
    "grpc_port", _DEFAULTS.grpc_port, "Port of gRPC.", 1, 65535
)
_HTTP_PORT = flags.DEFINE_integer(
    "http_port", _DEFAULTS.http_port, "Port of HTTP.", 1, 65535
)
_METRICS_PORT = flags.DEFINE_integer(
    "metrics_port", _DEFAULTS.metrics_port, "Port of Triton's metrics.", 1, 65535
)
_MAX_BATCH = flags.DEFINE_integer(
    "max_batch",
    _DEFAULTS.max_batch,
    "Largest batch of images or tiles, from one request or from several together. With "
    "1, Triton refuses requests of more; tensorflow_model_server does not.",
    1,
    1024,
)
_BATCH_DELAY = flags.DEFINE_float(
    "batch_delay",
    _DEFAULTS.batch_delay,
    "Milliseconds that a request waits for others, to form a batch with them.",
    0,
    1e4,
)
_MAX_QUEUE = flags.DEFINE_integer(
    "max_queue",
    _DEFAULTS.max_queue,
    "Largest number of waiting requests (tensorflow_model_server: batches) of each "
    "signature. Others are refused as unavailable, and clients try again later.",
    1,
)


def options() -> ServerOptions:
    """The options that the flags set."""
    return ServerOptions(
        address=_ADDRESS.value,
        grpc_port=_GRPC_PORT.value,
        http_port=_HTTP_PORT.value,
        metrics_port=_METRICS_PORT.value,
        max_batch=_MAX_BATCH.value,
        batch_delay=_BATCH_DELAY.value,
        max_queue=_MAX_QUEUE.value,
    )


def serve() -> int:
    from tf_imgcomp.image_codecs.models import find
    from tf_imgcomp.servers import tensorflow_serving, triton
    from tf_imgcomp.serving import export

    binary = tensorflow_serving.find()
    if binary is None and not triton.is_installed():
        raise ServerError(
            f"neither {tensorflow_serving.PROGRAM} nor Triton is installed: "
            "install tf_imgcomp with its extra 'serve'"
        )
    folder = Path(_EXPORTS.value).expanduser()
    pixels_max = int(_MEGAPIXELS.value * 1e6)
    exports = [
        export.up_to_date(find(model), folder, pixels_max) for model in _MODELS.value
    ]
    names = ", ".join(each.parent.name for each in exports)
    if binary is not None:
        tell(f"starting {binary} with {names} at tfs://localhost:{_GRPC_PORT.value}")
        settings = Path(tempfile.mkdtemp(prefix="tf_imgcomp."))
        tensorflow_serving.run(binary, exports, settings, options())
    else:
        tell(f"starting Triton with {names}")
        # A peer that goes away is an error of its request, not the end of the server.
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        place = f"kserve://{_ADDRESS.value}:{_GRPC_PORT.value}"
        triton.serve(exports, options(), stop, lambda: tell(f"ready at {place}"))
    return 0


def tell(message: str) -> None:
    print(f"{messages.called(PROGRAM)}: {message}", flush=True)


def main(argv: Sequence[str]) -> int:
    if len(argv) > 1:
        raise app.UsageError(f"Expected flags only, received {argv[1:]}.")
    return program.guard(PROGRAM, serve)


def run() -> None:
    program.run(PROGRAM, main)


if __name__ == "__main__":
    run()
