"""Starts `tensorflow_model_server`, the binary of TensorFlow Serving."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn, Optional

from tf_imgcomp.atomic_files import write_atomically
from tf_imgcomp.servers.options import ServerOptions

PROGRAM = "tensorflow_model_server"
_MODELS, _BATCHING = "models.config", "batching.config"


def find() -> Optional[str]:
    """The path of the binary; None if it is not installed."""
    return shutil.which(PROGRAM)


def command(
    program: str, exports: Sequence[Path], folder: Path, options: ServerOptions
) -> list:
    """Writes the server's files of settings. Returns the command that starts it.

    Args:
        program: path of the binary.
        exports: folders `<id>/<version>` of exports.
        folder: gets the files.
        options: of the server. It has no flag for an address.
    """
    arguments = [
        program,
        f"--port={options.grpc_port}",
        f"--rest_api_port={options.http_port}",
        f"--model_config_file={folder / _MODELS}",
    ]
    _write(folder / _MODELS, models_config(exports))
    if options.max_batch > 1:
        _write(folder / _BATCHING, batching_config(options))
        batching = f"--batching_parameters_file={folder / _BATCHING}"
        arguments += ["--enable_batching", batching]
    return arguments


def run(
    program: str, exports: Sequence[Path], folder: Path, options: ServerOptions
) -> NoReturn:
    """Becomes the server. See `command`."""
    os.execv(program, command(program, exports, folder, options))


def models_config(exports: Sequence[Path]) -> str:
    """A `ModelServerConfig` in text, of these versions of the models."""
    configs = "".join(
        f"""  config {{
    name: "{export.parent.name}"
    base_path: "{export.parent.resolve()}"
    model_platform: "tensorflow"
    model_version_policy {{ specific {{ versions: {export.name} }} }}
  }}
"""
        for export in exports
    )
    return f"model_config_list {{\n{configs}}}\n"


def batching_config(options: ServerOptions) -> str:
    """`BatchingParameters` in text.

    Requests are never padded to one shape: that aborts the server if they differ in
    more than one axis, and padded images would be coded with their padding.
    """
    return f"""max_batch_size {{ value: {options.max_batch} }}
batch_timeout_micros {{ value: {round(1000 * options.batch_delay)} }}
max_enqueued_batches {{ value: {options.max_queue} }}
num_batch_threads {{ value: {os.cpu_count() or 1} }}
pad_variable_length_inputs: false
"""


def _write(path: Path, text: str) -> None:
    write_atomically(path, text.encode(), overwrite=True)
