"""Trained Keras models, to train them further or to use their layers."""

from pathlib import Path

import tensorflow as tf

from tf_imgcomp.errors import ModelError
from tf_imgcomp.model_folder import WEIGHTS, read_card
from tf_imgcomp.runs.kinds import KINDS, kind_of
from tf_imgcomp.training.weights import load_weights, save_weights


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
        card: has the name of the codec or the filter, its sizes, and facts about the
            weights: flags, data, steps, figures.

    Raises:
        ValueError: If the folder's name cannot be an id.
    """
    KINDS[kind_of(card)].export(model, Path(folder), card)
    save_weights(model, Path(folder) / WEIGHTS)


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
