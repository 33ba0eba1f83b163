"""Finding and loading exported codecs, by id or by folder."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tf_imgcomp.errors import BitstreamError, ModelError

DEFAULT = "fdram"
_CARD = "card.json"
_CARD_KEYS = {"id": str, "fingerprint": int, "bytes_per_pixel": (int, float)}

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

    Raises:
        ModelError: If the folder does not hold a sound model.
    """

    def __init__(self, folder: Path):
        self.card = _read_card(folder / _CARD)
        self.id: str = self.card["id"]
        self.fingerprint: int = self.card["fingerprint"]
        self.bytes_per_pixel: float = self.card["bytes_per_pixel"]
        import tensorflow as tf

        _register_range_coder()
        self._tf = tf
        try:
            self._model = tf.saved_model.load(str(folder))
            fingerprint = int(self._model.fingerprint)
        except Exception as error:  # Damage surfaces as almost any of them.
            reason = next(iter(str(error).splitlines()), "")
            raise ModelError(
                f"model {folder} does not load: {type(error).__name__}: {reason}"
            ) from error
        if fingerprint != self.fingerprint:
            raise ModelError(
                f"model {folder} has fingerprint {fingerprint:#06x}, "
                f"its {_CARD} is for {self.fingerprint:#06x}"
            )

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

    def importance(self, pixels: np.ndarray, quality: float) -> np.ndarray | None:
        """The learned importance map, float32 `(H / 16, W / 16)`, 0 to 1.

        None if the codec has no such map. Arguments are those of `compress`.
        """
        if "importance" not in self._model.signatures:
            return None
        quality = self._tf.constant(quality, "float32")
        return self._model.importance(pixels, quality)["importance"].numpy()

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


def _read_card(path: Path) -> dict:
    """Reads a model card and checks what coding needs of it."""
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"{path.parent} is not a model: {_CARD}: {error.strerror}"
        raise ModelError(message) from error
    except ValueError as error:
        raise ModelError(f"{path} is not JSON: {error}") from error
    for key, kind in _CARD_KEYS.items():
        value = card.get(key) if isinstance(card, dict) else None
        if not isinstance(value, kind):
            raise ModelError(f"{path}: expected {key!r} of a model, received {value!r}")
    return card


def available() -> list:
    """The ids of all models that are there."""
    return sorted({card.parent.name for card in _cards()})


def _cards():
    for folder in _FOLDERS:
        if str(folder):
            yield from Path(folder).glob(f"*/{_CARD}")


def load_by_id(codec_id: str) -> SavedCodec:
    """Loads the codec that a file names, from the models' folders and nowhere else.

    Raises:
        ModelError: If there is no such model (it says which there are), or it is
            damaged.
    """
    for card in _cards():
        if card.parent.name == codec_id:
            return SavedCodec(card.parent)
    there = ", ".join(available()) or "none"
    raise ModelError(f"needs model {codec_id!r}; there are: {there}")


def load(model: str = DEFAULT) -> SavedCodec:
    """Loads the codec that a user names.

    Args:
        model: its id, or its folder. `./NAME` is the folder also if NAME is an id.

    Raises:
        ModelError: As from `load_by_id`.
    """
    if model not in available() and Path(model).is_dir():
        return SavedCodec(Path(model))
    return load_by_id(model)
