"""The folder of an exported model: a SavedModel and its card."""

import json
from pathlib import Path

from tf_imgcomp.bitstream import check_codec_id
from tf_imgcomp.errors import ModelError

CARD = "card.json"
_CARD_KEYS = {"id": str, "fingerprint": int, "bytes_per_pixel": (int, float)}


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


def save(module, signatures: dict, folder: Path, card: dict) -> None:
    """Writes a SavedModel and its card.

    Args:
        module: `tf.Module` with a variable `fingerprint`.
        signatures: its functions by name.
        folder: `saved_models/<id>`; its name is the id in files.
        card: `bytes_per_pixel`, and what to say of the weights: flags, data, steps,
            figures.

    Raises:
        ValueError: If the folder's name cannot be an id.
    """
    import tensorflow as tf

    from tf_imgcomp.export.merging import merge_repeated_nodes

    folder = Path(folder)
    check_codec_id(folder.name)
    tf.saved_model.save(module, str(folder), signatures)
    merge_repeated_nodes(folder)
    card = {"id": folder.name, "fingerprint": int(module.fingerprint), **card}
    (folder / CARD).write_text(json.dumps(card, indent=2) + "\n")


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
