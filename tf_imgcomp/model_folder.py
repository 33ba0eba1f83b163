"""The folder of an exported model: a SavedModel and its card."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tf_imgcomp.errors import ModelError
from tf_imgcomp.regions import TILE_STEP

CARD = "card.json"
READABLE_CARD = "card.md"  # Rendered from the other.
REFINEMENT = "refinement"  # A SavedModel inside: what refines latents.
WEIGHTS = "weights.npz"  # Of the Keras model, those that the SavedModel lacks.
# Variables of a codec's SavedModel with the packed weights of its transforms.
_PACKED = ("analysis_weights/packed", "synthesis_weights/packed")
_ID = re.compile(r"[a-z0-9][a-z0-9_.+-]{0,63}")  # Never a path.
# Whole numbers in a card that are possible.
_RANGES = {
    "fingerprint": range(2**16),
    "tile": range(TILE_STEP, 256 * TILE_STEP, TILE_STEP),
    "border": range(2**10),
    "reach": range(2**10),
}
_CARD_KEYS: dict[str, type | tuple[type, ...]] = {
    "id": str,
    "fingerprint": int,
    "bytes_per_pixel": (int, float),
    "tile": int,
    "border": int,
    "reach": (int, type(None)),  # Not of filters.
    "encoder_base": (int, float, type(None)),
}


def is_id(text: str) -> bool:
    """Whether a model can have this id, the name of its folder and in files."""
    return bool(_ID.fullmatch(text))


def check_id(text: str) -> None:
    """Raises a ValueError if no model can have this id."""
    if not is_id(text):
        raise ValueError(
            "Expected 1 to 64 lower-case letters, digits, `_`, `.`, `+` and `-` as a "
            f"codec's id, received {text!r}."
        )


def read_card(folder: Path) -> dict:
    """Reads a model card and checks the fields that coding needs.

    Raises:
        ModelError: If the card is missing or damaged.
    """
    path = Path(folder) / CARD
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"{path.parent} is not a model: {CARD}: {error.strerror}"
        raise ModelError(message) from error
    except ValueError as error:
        raise ModelError(f"{path} is not JSON: {error}") from error
    check_card(card, path)
    return card


def check_card(card: Any, place: object) -> None:
    """Checks the fields of a model card that coding needs.

    Args:
        card: the card.
        place: where it is from, for the message.

    Raises:
        ModelError: If one is missing or damaged.
    """
    for key, kind in _CARD_KEYS.items():
        value = card.get(key) if isinstance(card, dict) else None
        if not isinstance(value, kind) or not _is_possible(key, value):
            message = f"{place}: expected {key!r} of a model, received {value!r}"
            raise ModelError(message)


def design_of(card: dict) -> tuple[str, str, dict]:
    """The kind of a card's model, `codec` or `postfilter`, its name and its sizes.

    Raises:
        ModelError: If the card does not tell them.
    """
    for kind in ("codec", "postfilter"):
        name, sizes = card.get(kind), card.get("sizes")
        if isinstance(name, str) and isinstance(sizes, dict):
            return kind, name, sizes
    raise ModelError(
        f"model {card.get('id')!r}: expected 'codec' or 'postfilter' and 'sizes' in "
        "its card"
    )


def _is_possible(key: str, value: Any) -> bool:
    if key == "id":
        return is_id(value)
    if value is None:  # Of the keys that may be missing.
        return True
    if key in ("bytes_per_pixel", "encoder_base"):
        return 0 < value < 1e12  # Not NaN.
    return not isinstance(value, bool) and value in _RANGES[key]


def packed_weights(folder: Path) -> list:
    """The trained weights that the SavedModel of a codec holds.

    Returns:
        Two vectors, float16: `export.packed_weights.packed_variables`.

    Raises:
        ModelError: If it is damaged.
    """
    from tf_imgcomp.saved_functions import load_value

    with _damage_named(folder):
        return [load_value(Path(folder), name) for name in _PACKED]


@contextmanager
def _damage_named(folder: Path) -> Iterator[None]:
    """Turns any error into a ModelError: damage surfaces as almost any of them."""
    try:
        yield
    except Exception as error:
        reason = next(iter(str(error).splitlines()), "")
        raise ModelError(
            f"model {folder} does not load: {type(error).__name__}: {reason}"
        ) from error


@contextmanager
def memory_errors() -> Iterator[None]:
    """Turns TensorFlow's error on too little memory into a MemoryError."""
    import tensorflow as tf

    try:
        yield
    # oneDNN's operations raise AbortedError where they cannot prepare a primitive.
    except (tf.errors.ResourceExhaustedError, tf.errors.AbortedError):
        raise MemoryError from None


class ExportedModel:
    """A SavedModel and its card, in a folder that `export.saving.save` wrote.

    Args:
        folder: the folder.

    Attributes:
        card: dict, the model card.
        id: its name in files.
        fingerprint: 16 bits of its weights, in files too.
        bytes_per_pixel: peak memory of a tile with its surroundings, to refuse images
            that do not fit.
        tile: side of the tiles of large images in pixels.
        border: width of the surroundings that a tile needs, in latents for a codec's
            synthesis, in pixels for a filter.

    Raises:
        ModelError: If there is no card, or it is damaged.
    """

    def __init__(self, folder: Path):
        self.folder = Path(folder)
        self.card = read_card(self.folder)
        self.id: str = self.card["id"]
        self.fingerprint: int = self.card["fingerprint"]
        self.bytes_per_pixel: float = self.card["bytes_per_pixel"]
        self.tile: int = self.card["tile"]
        self.border: int = self.card["border"]

    def load(self, part: str = ".") -> SimpleNamespace:
        """The functions of the SavedModel; TensorFlow is imported when this is called.

        Args:
            part: folder inside, of another SavedModel with the same fingerprint.

        Returns:
            Attributes are `saved_functions.SavedFunction`.

        Raises:
            ModelError: If it is damaged, or has other weights than the card says.
        """
        from tf_imgcomp.saved_functions import load_functions, load_value

        folder = self.folder / part
        with _damage_named(folder):
            found = int(load_value(folder, "fingerprint"))
            functions = load_functions(folder)
        if found != self.fingerprint:
            raise ModelError(
                f"model {folder} has fingerprint {found}, "
                f"its {CARD} is for {self.fingerprint}"
            )
        return SimpleNamespace(**functions)
