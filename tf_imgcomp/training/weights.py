"""Saves and loads weights by name, in one small file."""

import re
import zipfile
from collections import deque
from pathlib import Path

import numpy as np
import tensorflow as tf

from tf_imgcomp.atomic_files import open_atomically
from tf_imgcomp.errors import ModelError


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
    """Writes all trainable variables in half precision, compressed."""
    values = {
        name: variable.numpy().astype(np.float16)
        for name, variable in named_variables(model).items()
    }
    with open_atomically(Path(path), overwrite=True) as file:
        np.savez_compressed(file, **values)


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
        for named in (named_variables(model), _read(path))
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


def _read(path: Path) -> dict:
    """All arrays of a file by name."""
    try:
        # Opened here, because NumPy does not close a file that it cannot read.
        with open(path, "rb") as file, np.load(file) as values:
            return {name: values[name] for name in values.files}
    except (ValueError, EOFError, TypeError, AttributeError, zipfile.BadZipFile) as e:
        raise ModelError(f"{path} is damaged, or holds no weights") from e


def round_to_half(model: tf.Module) -> None:
    """Rounds all trainable variables to half precision, as in files."""
    for variable in model.trainable_variables:
        variable.assign(tf.cast(tf.cast(variable, tf.float16), tf.float32))
