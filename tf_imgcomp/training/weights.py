"""Saves and loads weights by name, in one small file."""

import re
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from tf_imgcomp import weights_file
from tf_imgcomp.errors import ModelError

_CODED_IN_INTEGERS = re.compile("latent_coder/(hyper_synthesis|slices)/")


def named_variables(model: tf.Module) -> dict:
    """The trainable variables by their shortest path of attributes.

    Unlike numbered names, paths stay the same when layers are added.
    """
    names, queue = {}, deque([("", model)])
    seen = {id(model)}
    while queue:
        path, parent = queue.popleft()
        for name, child in sorted(tf.train.TrackableView.children(parent).items()):
            if isinstance(child, tf.Variable):
                names.setdefault(id(child), path + name)
            elif id(child) not in seen:
                seen.add(id(child))
                queue.append((f"{path}{name}/", child))
    return {names[id(variable)]: variable for variable in model.trainable_variables}


def save_weights(model: tf.Module, path: Path, without: Sequence = ()) -> None:
    """Writes trainable variables as `round_as_saved` leaves them.

    Args:
        model: a model that is built.
        path: the file.
        without: variables to leave out.
    """
    values = {
        name: _as_saved(name, variable.numpy())
        for name, variable in _named_without(model, without).items()
    }
    weights_file.write(path, values)


def load_weights(
    model: tf.Module, path: Path, pattern: str = "", without: Sequence = ()
) -> None:
    """Loads a file of `save_weights`, of this model or of one that shares some parts.

    Args:
        model: a model that is built.
        path: the file.
        pattern: see `assign_weights`.
        without: variables that the file leaves out.

    Raises:
        ModelError: As `assign_weights`, or if the file is damaged.
    """
    variables = _named_without(model, without)
    assign_weights(variables, weights_file.read(path), path, pattern)


def assign_weights(
    variables: Mapping, values: Mapping, source: Path, pattern: str = ""
) -> None:
    """Gives variables the values of the same names.

    Args:
        variables: by name, as from `named_variables`.
        values: arrays of floats by name.
        source: where the values are from, for messages.
        pattern: regular expression. Only variables whose name it matches at the start
            are assigned; all others keep their values, whatever `values` has.

    Raises:
        ModelError: If names or shapes differ, or if the pattern matches none.
    """
    variables, values = (
        {name: value for name, value in named.items() if re.match(pattern, name)}
        for named in (variables, values)
    )
    if not variables:
        raise ModelError(f"{pattern!r} matches no weights of the model")
    missing = sorted(variables.keys() - values.keys())
    surplus = sorted(values.keys() - variables.keys())
    if missing or surplus:
        raise ModelError(
            f"Expected the weights of the model in {source}; "
            f"missing: {missing[:3]}, not of this model: {surplus[:3]}."
        )
    for name, variable in variables.items():
        if variable.shape != values[name].shape:
            raise ModelError(
                f"Expected {name} of shape {tuple(variable.shape)} in {source}, "
                f"received {values[name].shape}."
            )
        variable.assign(values[name].astype(np.float32))


def _named_without(model: tf.Module, left_out: Sequence) -> dict:
    left_out = {id(variable) for variable in left_out}
    named = named_variables(model).items()
    return {name: variable for name, variable in named if id(variable) not in left_out}


def round_as_saved(model: tf.Module) -> None:
    """Rounds all trainable variables as files hold them.

    They have half precision; those that the integer coder rounds once more have 8
    significant bits, which takes a tenth less in a file.
    """
    for name, variable in named_variables(model).items():
        variable.assign(_as_saved(name, variable.numpy()).astype(np.float32))


def _as_saved(name: str, value: np.ndarray) -> np.ndarray:
    half = value.astype(np.float16)
    if not _CODED_IN_INTEGERS.match(name):
        return half
    bits = half.view(np.uint16)
    return (bits + 4 & 0xFFF8).astype(np.uint16).view(np.float16)
