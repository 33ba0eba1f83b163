"""Writes the folder of an exported model: a SavedModel and its card."""

import json
from pathlib import Path

import tensorflow as tf

from tf_imgcomp import model_folder
from tf_imgcomp.export.merging import merge_repeated_nodes


def save(module, signatures: dict, folder: Path, card: dict) -> None:
    """Writes a SavedModel and its card.

    Args:
        module: `tf.Module` with a variable `fingerprint`.
        signatures: its functions by name.
        folder: `saved_models/<id>`; its name is the id in files.
        card: `bytes_per_pixel`, and facts about the weights: flags, data, steps,
            figures.

    Raises:
        ValueError: If the folder's name cannot be an id.
    """
    folder = Path(folder)
    model_folder.check_id(folder.name)
    tf.saved_model.save(module, str(folder), signatures)
    merge_repeated_nodes(folder)
    card = {"id": folder.name, "fingerprint": int(module.fingerprint), **card}
    (folder / model_folder.CARD).write_text(json.dumps(card, indent=2) + "\n")
