"""The training step as a program that runs without TensorFlow and this package.

XLA compiles the pure step of `training.step` to a program in its own language, HLO. Its
inputs are parameters, images, seed and qualities. `portable/train.py` needs a folder
with that program, the initial parameters and a description. Its only schedule of the
learning rate is the cosine.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Callable

import numpy as np
import tensorflow as tf

from tf_imgcomp.atomic_files import open_atomically, write_atomically
from tf_imgcomp.codecs.base import QUALITY_MAX, QUALITY_MIN
from tf_imgcomp.errors import ImgcompError
from tf_imgcomp.ops.graphs import graph_function
from tf_imgcomp.training.optimization import optimizer_settings
from tf_imgcomp.training.step import Trainable, evaluation, training_step
from tf_imgcomp.training.trainer import TrainerConfig
from tf_imgcomp.training.weights import named_variables

SPEC = "spec.json"
_DEVICE = "/device:CPU:0"  # The program is the same for all devices.


def export_step(
    trainable: Trainable,
    folder: Path,
    config: TrainerConfig,
    batch: int,
    crop: int,
    card: dict,
) -> None:
    """Writes the folder that `portable/train.py` trains a model from.

        step.hlo         parameters, images, seed, qualities
                         -> gradients of trained parameters, loss, metrics
        evaluate.hlo     parameters, images, qualities -> loss, metrics; without noise
        parameters.npz   initial parameters by name
        spec.json        names and shapes in their order; schedule, qualities, card

    Images are uint8 `(batch, crop, crop, 3 * pictures)`, the seed is int32 `(2,)`,
    qualities are float32 `(batch,)`, all else is float32; loss and metrics are scalars.

    Args:
        trainable: the model and its objective.
        folder: folder to write; made if missing.
        config: schedule, seed and qualities.
        batch: number of images in a step.
        crop: their side, in pixels.
        card: model card of the trained weights, kept until they are imported.

    Raises:
        ImgcompError: If the optimizer is not Adam, the only one of portable/train.py.
    """
    if config.optimization.optimizer != "adam":
        raise ImgcompError(
            f"portable/train.py has no {config.optimization.optimizer}: train with adam"
        )
    folder = Path(folder)
    parameters, trained = named_variables(trainable.model), list(trainable.variables)
    variables = list(parameters.values())

    def step(*inputs):
        *values, images, seed, quality = inputs
        result = training_step(
            trainable.objective, variables, values, images, seed, quality
        )
        gradients = dict(zip(parameters, result.gradients))
        return [gradients[name] for name in trained], result.loss, result.metrics

    def evaluate(*inputs):
        *values, images, quality = inputs
        return evaluation(trainable.objective, variables, values, images, quality)

    specs = [tf.TensorSpec(v.shape, tf.float32) for v in variables]
    channels = 3 * trainable.sampling.pictures
    images = tf.TensorSpec((batch, crop, crop, channels), tf.uint8)
    quality = tf.TensorSpec((batch,), tf.float32)
    seed = tf.TensorSpec((2,), tf.int32)
    program, outputs = _lower(step, [*specs, images, seed, quality])
    write_atomically(folder / "step.hlo", program, overwrite=True)
    program, _ = _lower(evaluate, [*specs, images, quality])
    write_atomically(folder / "evaluate.hlo", program, overwrite=True)
    values = {name: variable.numpy() for name, variable in parameters.items()}
    with open_atomically(folder / "parameters.npz", overwrite=True) as file:
        np.savez_compressed(file, **values)
    lowest, highest = QUALITY_MIN, QUALITY_MAX
    if config.quality is not None:
        lowest = highest = config.quality
    spec = {
        "parameters": {name: v.shape.as_list() for name, v in parameters.items()},
        "trained": trained,
        "metrics": sorted(outputs[-1]),
        "batch": batch,
        "crop": crop,
        "sampling": asdict(trainable.sampling),
        "quality": [lowest, highest],
        "seed": config.seed,
        "log_every": config.log_every,
        "optimization": asdict(config.optimization),
        "optimizer": optimizer_settings(config.optimization),
        "card": card,
    }
    text = json.dumps(spec, indent=1) + "\n"
    write_atomically(folder / SPEC, text.encode(), overwrite=True)


def _lower(function: Callable, specs: Sequence[tf.TensorSpec]) -> tuple:
    """The HLO of a function, and the structure of its results.

    Raises:
        ValueError: If the function reads anything but its inputs.
    """
    compiled = graph_function(function, jit_compile=True)
    traced = compiled.get_concrete_function(*specs)
    if traced.captured_inputs:
        raise ValueError(
            "Expected a step that reads its inputs only, received one that captures "
            f"{traced.captured_inputs}."
        )
    make = compiled.experimental_get_compiler_ir(*specs)
    program = make(stage="hlo_serialized", device_name=_DEVICE)
    return program, traced.structured_outputs
