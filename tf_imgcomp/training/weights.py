"""Saves and loads weights by name, in one small file."""

import re
from collections import deque
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


def save_weights(model: tf.Module, path: Path) -> None:
    """Writes all trainable variables as `round_as_saved` leaves them."""
    values = {
        name: _as_saved(name, variable.numpy())
        for name, variable in named_variables(model).items()
    }
    weights_file.write(path, values)


def load_weights(model: tf.Module, path: Path, pattern: str = "") -> None:
    """Loads a file of `save_weights`, of this model or of one that shares some parts.

    Args:
        model: a model that is built.
        path: the file.
        pattern: regular expression. Only variables whose path it matches at the start
            are loaded; all others keep their values, whatever the file has.

    Raises:
        ModelError: If names or shapes differ from the model's, if the pattern matches
            none, or if the file is damaged.
    """
    variables, values = (
        {name: value for name, value in named.items() if re.match(pattern, name)}
        for named in (named_variables(model), weights_file.read(path))
    )
    if not variables:
        raise ModelError(f"{pattern!r} matches no weights of {model.name}")
    missing = sorted(variables.keys() - values.keys())
    surplus = sorted(values.keys() - variables.keys())
    if missing or surplus:
        raise ModelError(
            f"Expected the weights of {model.name} in {path}; "
            f"missing: {missing[:3]}, not of this model: {surplus[:3]}."
        )
    for name, variable in variables.items():
        if variable.shape != values[name].shape:
            raise ModelError(
                f"Expected {name} of shape {tuple(variable.shape)} in {path}, "
                f"received {values[name].shape}."
            )
        variable.assign(values[name].astype(np.float32))


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
