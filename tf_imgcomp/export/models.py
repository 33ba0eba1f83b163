"""Finding and loading exported codecs, by id or by folder."""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tf_imgcomp.errors import BitstreamError, ModelError

DEFAULT = "fdram"
_CARD = "card.json"

# Models are looked for here, in this order: a folder of the user's own, a checkout,
# an installed package.
_FOLDERS = (
    *os.environ.get("TF_IMGCOMP_MODELS", "").split(os.pathsep),
    Path(__file__).parents[2] / "saved_models",
    Path(sys.prefix) / "share" / "tf_imgcomp" / "saved_models",
)


@dataclass(frozen=True)
class Coded:
    """An image as strings.

    Attributes:
        strings: what the range coder wrote, z first.
        checksum: of the decoded latents, 0 to 65535.
        quality: the quality used, a multiple of 0.01.
    """

    strings: tuple
    checksum: int
    quality: float


class SavedCodec:
    """An exported codec, ready to use; TensorFlow is imported when one is made.

    Args:
        folder: a folder that `export.saved_model.export` wrote.

    Attributes:
        id: its name in files.
        fingerprint: 16 bits of its weights, in files too.
        card: dict, the model card.
        bytes_per_pixel: peak memory of coding, for refusing what does not fit.
    """

    def __init__(self, folder: Path):
        self.card = json.loads((folder / _CARD).read_text())
        self.id: str = self.card["id"]
        self.fingerprint: int = self.card["fingerprint"]
        self.bytes_per_pixel: float = self.card["bytes_per_pixel"]
        import tensorflow as tf

        _register_range_coder()
        self._tf = tf
        self._model = tf.saved_model.load(str(folder))

    def compress(self, pixels: np.ndarray, quality: float) -> Coded:
        """Codes an image.

        Args:
            pixels: uint8 `(h, w, 3)`, any size from 1x1.
            quality: float in [1, 100].

        Raises:
            ValueError: If the pixels or the quality are not of that kind.
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
        """Decodes an image.

        Args:
            strings: as `compress` gave them.
            height, width: of the image.
            quality: the one in `Coded`.

        Returns:
            Pixels, uint8 `(h, w, 3)`, and the checksum of the decoded latents.

        Raises:
            BitstreamError: If the strings are not what an encoder writes.
        """
        decoded = self._decode("decompress", strings, height, width, quality)
        return decoded["image"].numpy(), int(decoded["checksum"])

    def latents(
        self, strings: tuple, height: int, width: int, quality: float
    ) -> np.ndarray:
        """The decoded latents y_hat, float32 `(1, H / 16, W / 16, c)`, integers.

        Arguments and errors are those of `decompress`.
        """
        return self._decode("latents", strings, height, width, quality)["y_hat"].numpy()

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
    """Loads the custom operations that the graphs use."""
    import tensorflow_compression  # noqa: F401


def available() -> list:
    """The ids of all models that are there."""
    return sorted({card.parent.name for card in _cards()})


def _cards():
    for folder in _FOLDERS:
        if str(folder):
            yield from Path(folder).glob(f"*/{_CARD}")


def load(model: str = DEFAULT) -> SavedCodec:
    """Loads a codec by its id or from a folder.

    Raises:
        ModelError: If there is no such model; it says which there are.
    """
    folders = [card.parent for card in _cards() if card.parent.name == model]
    if (Path(model) / _CARD).exists():
        folders.insert(0, Path(model))
    if not folders:
        there = ", ".join(available()) or "none"
        raise ModelError(f"needs model {model!r}; there are: {there}")
    return SavedCodec(folders[0])
