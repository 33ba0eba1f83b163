"""Trained Keras models, to train them further or to use their layers."""

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from tf_imgcomp.codecs.registry import CODECS
from tf_imgcomp.errors import ModelError
from tf_imgcomp.model_folder import WEIGHTS, design_of, packed_weights, read_card
from tf_imgcomp.postfilter.registry import POSTFILTERS
from tf_imgcomp.runs.kinds import KINDS
from tf_imgcomp.training.weights import (
    assign_weights,
    load_weights,
    named_variables,
    round_as_saved,
    save_weights,
)


def trained_model(card: dict, weights: Path) -> tf.keras.Model:
    """Makes the model of a card, with its weights.

    Args:
        card: has the name of a codec or a filter, and its sizes.
        weights: file that `training.weights.save_weights` wrote.

    Raises:
        ModelError: If there is no such design, or the weights do not fit.
        OSError: If the file cannot be read.
    """
    model = _new_model(card)
    load_weights(model, weights)
    return model


def _new_model(card: dict) -> tf.keras.Model:
    kind, name, sizes = design_of(card)
    return KINDS[kind].new(name, sizes)


def export_trained(model: tf.keras.Model, folder: Path, card: dict) -> None:
    """Exports a trained model, and those of its weights that the SavedModel lacks.

    Args:
        model: a codec or a filter.
        folder: `saved_models/<id>`; its name is the model's id.
        card: facts about the weights: flags, data, steps, figures.

    Raises:
        TypeError: If the model is none of `CODECS` or `POSTFILTERS`.
        ValueError: If the folder's name cannot be an id.
    """
    design = _design(model)
    round_as_saved(model)  # So that the weights make the same model again.
    kind = KINDS[design_of(design)[0]]
    packed = list(itertools.chain(*kind.packed(model)))
    kind.export(
        model,
        Path(folder),
        {**design, **card, **design},
        lambda new: save_weights(model, new / WEIGHTS, without=packed),
    )


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
    model = _new_model(card)
    packed = KINDS[design_of(card)[0]].packed(model)
    if packed:
        for variables, values in zip(packed, packed_weights(folder)):
            _unpack(values, variables, folder)
    load_weights(model, weights, without=list(itertools.chain(*packed)))
    return model


def _unpack(packed: np.ndarray, variables: list, folder: Path) -> None:
    """Assigns what `export.packed_weights.half_precision` made of variables."""
    ends = np.cumsum([variable.shape.num_elements() for variable in variables])
    if ends[-1] != len(packed):
        raise ModelError(
            f"Expected {ends[-1]} packed weights in {folder}, as the sizes in its card "
            f"say, received {len(packed)}."
        )
    for variable, values in zip(variables, np.split(packed, ends[:-1])):
        variable.assign(values.reshape(variable.shape).astype(np.float32))


def start_from(source: Path, model: tf.keras.Model, pattern: str = "") -> None:
    """Gives a model the weights of another one, or those of some of its parts.

    Args:
        source: a file of weights, or the folder of an exported model.
        model: built.
        pattern: see `assign_weights`.

    Raises:
        ModelError: If they do not fit, or are damaged.
        OSError: If the file cannot be read.
    """
    if not Path(source).is_dir():
        load_weights(model, source, pattern)
        return
    named = named_variables(load_trained(source)).items()
    values = {name: variable.numpy() for name, variable in named}
    assign_weights(named_variables(model), values, source, pattern)


def start_from_mean(
    sources: Sequence[Path], model: tf.keras.Model, pattern: str = ""
) -> None:
    """Gives a model the mean weights of several that were trained one from the other.

    It can be better than each of them.

    Args:
        sources: at least one; they and the rest as in `start_from`.

    References:
        Wortsman et al., "Model soups: averaging weights of multiple fine-tuned models
        improves accuracy without increasing inference time", ICML 2022
    """
    weights = []
    for source in sources:
        start_from(source, model, pattern)
        weights.append(model.get_weights())
    model.set_weights([np.mean(values, axis=0) for values in zip(*weights)])
