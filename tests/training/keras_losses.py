"""Exports the step of a tiny codec and takes the steps of `exported_losses` by Keras.

    python keras_losses.py CODEC STEP_FOLDER

Prints the losses as JSON.
"""

import json
import sys
from pathlib import Path

import tensorflow as tf

from tests import tiny
from tests.training import exported_losses
from tf_imgcomp.training.codec_objective import codec_objective
from tf_imgcomp.training.optimization import OptimizationConfig
from tf_imgcomp.training.portable import export_step
from tf_imgcomp.training.step import Trainable, evaluation, training_step
from tf_imgcomp.training.trainer import TrainerConfig
from tf_imgcomp.training.weights import named_variables


def main(name: str, folder: str) -> None:
    sizes = tiny.SIZES[name] if name == "cheng2020" else tiny.plain(name)
    codec = tiny.randomized(sizes, name=name)
    trainable = Trainable(codec, codec_objective(codec, noise=True))
    config = TrainerConfig(OptimizationConfig(1))
    card = {"codec": name, "sizes": sizes, "flags": []}
    export_step(trainable, Path(folder), config, batch=2, crop=64, card=card)
    print(json.dumps(losses(trainable)))


def losses(trainable: Trainable) -> list:
    variables = list(named_variables(trainable.model).values())
    parameters = [tf.identity(variable) for variable in variables]
    images, quality = exported_losses.IMAGES, exported_losses.QUALITY

    # Only with XLA are noise and roundings near a tie the same.
    @tf.function(jit_compile=True)
    def step(parameters, seed):
        return training_step(
            trainable.objective, variables, parameters, images, seed, quality
        )

    @tf.function(jit_compile=True)
    def evaluate(parameters):
        return evaluation(trainable.objective, variables, parameters, images, quality)

    found = []
    for number in range(exported_losses.STEPS):
        result = step(parameters, tf.constant([number, 7]))
        found.append(float(result.loss))
        rate = exported_losses.LENGTH / tf.linalg.global_norm(result.gradients)
        parameters = [p - rate * g for p, g in zip(parameters, result.gradients)]
    return [*found, float(evaluate(parameters)[0])]


if __name__ == "__main__":
    main(*sys.argv[1:])
