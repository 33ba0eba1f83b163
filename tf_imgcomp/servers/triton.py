"""Serves exports with NVIDIA Triton, from the package `nvidia-pytriton`.

Triton's own process takes requests, puts them into batches and hands them to this one,
where TensorFlow runs the export. A signature is a model of Triton, as in
`client.kserve`.
"""

import os
import sysconfig
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tf_imgcomp.client.kserve import served_name
from tf_imgcomp.errors import ServerError
from tf_imgcomp.servers.options import ServerOptions
from tf_imgcomp.serving import warmup

_GRACE = 25  # Seconds for what is under way; pytriton kills Triton after 30.
_LOOK_EVERY = 1.0  # Seconds between two looks whether Triton runs.


class _Refusal(Exception):
    """Error of one call, without a traceback, which Triton would send to the client."""

    @property
    def __traceback__(self) -> None:
        return None


def is_installed() -> bool:
    """Whether the package is there."""
    try:
        import pytriton.triton  # noqa: F401
    except ImportError:
        return False
    return True


def serve(
    exports: Sequence[Path],
    options: ServerOptions,
    stop: threading.Event,
    ready: Callable[[], None],
) -> None:
    """Runs Triton until `stop` is set, then at most 25 s more for requests under way.

    Args:
        exports: folders `<id>/<version>` of exports.
        options: of the server.
        stop: set by another thread, or by a signal handler.
        ready: called when all models can be called.

    Raises:
        ServerError: If Triton does not start, or ends by itself.
    """
    from pytriton.triton import Triton, TritonConfig

    _let_libraries_be_found()
    triton = Triton(
        config=TritonConfig(
            grpc_address=options.address,
            http_address=options.address,
            metrics_address=options.address,
            grpc_port=options.grpc_port,
            http_port=options.http_port,
            metrics_port=options.metrics_port,
            exit_timeout_secs=_GRACE,
        )
    )
    try:
        for export in exports:
            _bind(triton, export, options)
        try:
            triton.run()
        except Exception as error:  # pytriton raises its own and those of its client.
            raise ServerError(f"Triton does not start: {error}") from error
        ready()
        while not stop.wait(_LOOK_EVERY):
            if not triton.is_alive():
                raise ServerError("Triton ended by itself")
    finally:
        triton.stop()


def _let_libraries_be_found() -> None:
    """Lets Triton load the library of a Python that is not the system's."""
    folders = [sysconfig.get_config_var("LIBDIR"), os.environ.get("LD_LIBRARY_PATH")]
    os.environ["LD_LIBRARY_PATH"] = os.pathsep.join(filter(None, folders))


def _bind(triton: Any, export: Path, options: ServerOptions) -> None:
    """Loads an export, warms it up, and gives its signatures to Triton."""
    from pytriton.model_config import DynamicBatcher, ModelConfig
    from pytriton.model_config.common import QueuePolicy

    model = tf.saved_model.load(str(export))
    for signature, inputs in warmup.read(export):
        model.signatures[signature](**inputs)
    batcher = DynamicBatcher(
        max_queue_delay_microseconds=round(1000 * options.batch_delay),
        default_queue_policy=QueuePolicy(max_queue_size=options.max_queue),
    )
    config = ModelConfig(max_batch_size=options.max_batch, batcher=batcher)
    for name, function in model.signatures.items():
        specs = function.structured_input_signature[1]
        triton.bind(
            served_name(export.parent.name, name),
            _batches(function, specs),
            inputs=[_tensor(name, spec) for name, spec in specs.items()],
            outputs=[
                _tensor(name, spec)
                for name, spec in function.structured_outputs.items()
            ],
            config=config,
        )


def _batches(function: Callable, specs: dict) -> Callable:
    """The function as Triton calls it, with a list of requests to put together."""
    from pytriton.decorators import batch

    @batch
    def call(**arrays: np.ndarray) -> dict:
        tensors = {
            name: tf.constant(
                array[:, 0] if specs[name].shape.rank == 1 else array, specs[name].dtype
            )
            for name, array in arrays.items()
        }
        try:
            outputs = function(**tensors)
        except tf.errors.OpError as error:
            raise _Refusal(_reason(error.message)) from None
        return {name: _with_axis(output.numpy()) for name, output in outputs.items()}

    return call


def _reason(message: str) -> str:
    """The line of TensorFlow's message that names the cause, not the place."""
    where = ("Graph execution error", "Detected at", "<stack", "[[", " ", "\t")
    lines = [line for line in message.splitlines() if not line.startswith(where)]
    return next(filter(None, lines), "the call failed")


def _with_axis(array: np.ndarray) -> np.ndarray:
    return array[:, None] if array.ndim == 1 else array


def _tensor(name: str, spec: tf.TensorSpec) -> Any:
    """The description of an element of a batch, which has an axis at least."""
    from pytriton.model_config import Tensor

    shape = tuple(-1 if size is None else size for size in spec.shape[1:]) or (1,)
    dtype = bytes if spec.dtype == tf.string else spec.dtype.as_numpy_dtype
    return Tensor(name=name, dtype=dtype, shape=shape)
