"""The folder of an exported model: a SavedModel and its card."""

import json
import re
from pathlib import Path

from tf_imgcomp.errors import ModelError

CARD = "card.json"
_ID = re.compile(r"[a-z0-9][a-z0-9_.+-]{0,63}")  # Never a path.
_CARD_KEYS = {"id": str, "fingerprint": int, "bytes_per_pixel": (int, float)}


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
    """Reads a model card and checks what coding needs of it.

    Raises:
        ModelError: If there is none, or it is damaged.
    """
    path = Path(folder) / CARD
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"{path.parent} is not a model: {CARD}: {error.strerror}"
        raise ModelError(message) from error
    except ValueError as error:
        raise ModelError(f"{path} is not JSON: {error}") from error
    for key, kind in _CARD_KEYS.items():
        value = card.get(key) if isinstance(card, dict) else None
        if not isinstance(value, kind):
            raise ModelError(f"{path}: expected {key!r} of a model, received {value!r}")
    return card


def load(folder: Path, fingerprint: int):
    """Loads a SavedModel; TensorFlow is imported when this is called.

    Args:
        folder: the folder.
        fingerprint: of the weights, as the card says.

    Raises:
        ModelError: If it is damaged, or has other weights.
    """
    import tensorflow as tf

    try:
        model = tf.saved_model.load(str(folder))
        found = int(model.fingerprint)
    except Exception as error:  # Damage surfaces as almost any of them.
        reason = next(iter(str(error).splitlines()), "")
        raise ModelError(
            f"model {folder} does not load: {type(error).__name__}: {reason}"
        ) from error
    if found != fingerprint:
        raise ModelError(
            f"model {folder} has fingerprint {found:#06x}, "
            f"its {CARD} is for {fingerprint:#06x}"
        )
    return model
