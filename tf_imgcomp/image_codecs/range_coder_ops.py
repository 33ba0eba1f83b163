"""The range coder's operations, which are part of tensorflow-compression."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from tf_imgcomp.errors import ModelError


def register() -> None:
    """Registers the operations, which the graphs of learned codecs use.

    Only their module is loaded, since importing the whole package takes 0.4 s
    (docs/startup.md). It is loaded under its own name, so that a later import of the
    package does not register them again.

    Raises:
        ModelError: If the package is not installed.
    """
    name = "tensorflow_compression.python.ops.gen_ops"
    if name in sys.modules:
        return
    package, *parts = name.split(".")
    found = importlib.util.find_spec(package)
    if found is None:
        raise ModelError("learned codecs need tensorflow-compression to be installed")
    assert found.origin is not None
    folder = Path(found.origin).parent
    path = folder.joinpath(*parts).with_suffix(".py")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules[name] = module
