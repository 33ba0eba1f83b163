"""A learned codec: an exported SavedModel."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np

from tf_imgcomp.errors import BitstreamError, ModelError
from tf_imgcomp.image_codecs.interface import Coded, ImageCodec
from tf_imgcomp.model_folder import ExportedModel


class LearnedCodec(ExportedModel, ImageCodec):
    """An exported codec; making one imports TensorFlow.

    Args:
        folder: a folder that `export.codec.export` wrote.

    Raises:
        ModelError: If the folder does not hold an intact model, or if
            tensorflow-compression is not installed.
    """

    def __init__(self, folder: Path):
        super().__init__(folder)
        import tensorflow as tf

        _register_range_coder()
        self._tf = tf
        self._model = self.load()

    def compress(self, pixels: np.ndarray, quality: float) -> Coded:
        """See `ImageCodec`.

        Raises:
            ValueError: If dtype, shape or quality are wrong.
        """
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
            raise ValueError(
                "Expected pixels uint8 (h, w, 3), received "
                f"{pixels.dtype} {pixels.shape}."
            )
        if not 1 <= quality <= 100:
            raise ValueError(f"Expected a quality from 1 to 100, received {quality}.")
        coded = self._model.compress(pixels, self._tf.constant(quality, "float32"))
        return Coded(
            tuple(coded["strings"].numpy().tolist()),
            int(coded["checksum"]),
            int(coded["quality"]) / 100,
        )

    def decompress(
        self, strings: tuple, height: int, width: int, quality: float
    ) -> tuple:
        """See `ImageCodec`."""
        decoded = self._decode("decompress", strings, height, width, quality)
        return decoded["image"].numpy(), int(decoded["checksum"])

    def latents(
        self, strings: tuple, height: int, width: int, quality: float
    ) -> np.ndarray:
        """See `ImageCodec`."""
        return self._decode("latents", strings, height, width, quality)["y_hat"].numpy()

    def importance(self, pixels: np.ndarray, quality: float) -> np.ndarray | None:
        """See `ImageCodec`."""
        if "importance" not in self._model.signatures["analysis"].structured_outputs:
            return None
        quality = self._tf.constant(quality, "float32")
        return self._model.analysis(pixels, quality)["importance"].numpy()

    def _decode(self, signature, strings, height, width, quality) -> dict:
        tf = self._tf
        try:
            decoded = getattr(self._model, signature)(
                tf.constant(list(strings), tf.string),
                tf.constant(height, tf.int32),
                tf.constant(width, tf.int32),
                tf.constant(round(quality * 100), tf.int64),
            )
        except tf.errors.OpError as error:
            raise BitstreamError("the strings do not decode") from error
        if not bool(decoded["sound"]):
            raise BitstreamError("the strings do not decode")
        return decoded


def _register_range_coder() -> None:
    """Registers the range coder's operations, which the graphs use.

    They are in one module of tensorflow-compression. It is loaded under its own name,
    so that a later import of the package does not register them again. Importing the
    whole package takes 0.4 s (docs/startup.md).

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
    folder = Path(found.origin).parent
    path = folder.joinpath(*parts).with_suffix(".py")
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules[name] = module
