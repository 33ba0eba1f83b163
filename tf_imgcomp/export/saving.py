"""Writes the folder of an exported model: a SavedModel and its card."""

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import tensorflow as tf

from tf_imgcomp import model_card, model_folder
from tf_imgcomp.export.merging import merge_repeated_nodes


def nothing_more(folder: Path) -> None:
    """Writes nothing."""


def save(
    module,
    signatures: dict,
    folder: Path,
    facts: dict,
    card: dict,
    finish: Callable[[Path], None] = nothing_more,
) -> None:
    """Writes a SavedModel and its card, for programs and for people.

    An old model in the folder stays whole until the new one is. Other files in the
    folder are kept.

    Args:
        module: `tf.Module` with a variable `fingerprint`.
        signatures: its functions by name.
        folder: `saved_models/<id>`; its name is the id in files.
        facts: fields of the card that this model decides.
        card: other fields, of any model: flags, data, steps, figures.
        finish: called with the new folder before it takes its place, to write more.

    Raises:
        ValueError: If the folder's name cannot be an id.
    """
    folder = Path(folder)
    model_folder.check_id(folder.name)
    facts = {"id": folder.name, "fingerprint": int(module.fingerprint), **facts}
    card = {**facts, **card, **facts}  # Facts come first, and win.
    with _replacing(folder) as new:
        tf.saved_model.save(module, str(new), signatures)
        merge_repeated_nodes(new)
        (new / model_folder.CARD).write_text(json.dumps(card, indent=2) + "\n")
        (new / model_folder.READABLE_CARD).write_text(model_card.render(card))
        finish(new)


@contextlib.contextmanager
def _replacing(folder: Path) -> Iterator[Path]:
    """Gives a folder to fill, which then takes the place of `folder`."""
    folder = Path(os.path.realpath(folder))
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".tf_imgcomp.", dir=folder.parent))
    new, old = work / "new", work / "old"
    try:
        yield new
        if folder.exists():
            folder.rename(old)
        new.rename(folder)
        for entry in old.iterdir() if old.exists() else ():
            if not (folder / entry.name).exists():
                entry.rename(folder / entry.name)
    finally:
        if old.exists() and not folder.exists():
            old.rename(folder)
        shutil.rmtree(work)
