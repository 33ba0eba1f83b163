"""Trained Keras models, to train them further or to use their layers."""

from pathlib import Path

import tensorflow as tf

from tf_imgcomp.codecs.registry import CODECS
from tf_imgcomp.errors import ModelError
from tf_imgcomp.model_folder import WEIGHTS, read_card
from tf_imgcomp.postfilter.registry import POSTFILTERS
from tf_imgcomp.runs.kinds import KINDS, kind_of
from tf_imgcomp.training.weights import load_weights, round_as_saved, save_weights


def trained_model(card: dict, weights: Path) -> tf.keras.Model:
    """Makes the model of a card, with its weights.

    Args:
        card: has the name of a codec or a filter, and its sizes.
        weights: file that `training.weights.save_weights` wrote.

    Raises:
        ModelError: If there is no such design, or the weights do not fit.
        OSError: If the file cannot be read.
    """
    kind = kind_of(card)
    model = KINDS[kind].new(card[kind], card["sizes"])
    load_weights(model, weights)
    return model


def export_trained(model: tf.keras.Model, folder: Path, card: dict) -> None:
    """Exports a trained model, and its weights to train it further.

    Args:
        model: a codec or a filter.
        folder: `saved_models/<id>`; its name is the model's id.
        card: facts about the weights: flags, data, steps, figures.

    Raises:
        TypeError: If the model is none of `CODECS` or `POSTFILTERS`.
        ValueError: If the folder's name cannot be an id.
    """
    card = {**_design(model), **card}
    round_as_saved(model)  # So that the weights make the same model again.
    KINDS[kind_of(card)].export(model, Path(folder), card)
    save_weights(model, Path(folder) / WEIGHTS)


def _design(model: tf.keras.Model) -> dict:
    """The part of a card that `trained_model` needs."""
    for kind, table in {"codec": CODECS, "postfilter": POSTFILTERS}.items():
        for name, design in table.items():
            if type(model) is design:  # All sizes: defaults may change.
                return {kind: name, "sizes": model.get_config()["config"]}
    raise TypeError(f"Expected a codec or a filter, received {type(model).__name__}.")


def load_trained(folder: Path) -> tf.keras.Model:
    """Loads the trained Keras model of an exported one, float32.

    Args:
        folder: of an exported codec or filter.

    Raises:
        ModelError: If the folder is not that of a model, or has no weights.
    """
    card, weights = read_card(folder), Path(folder) / WEIGHTS
    if not weights.is_file():
        raise ModelError(
            f"model {card['id']!r} has no file {WEIGHTS} to train it further: export "
            "it again"
        )
    return trained_model(card, weights)
