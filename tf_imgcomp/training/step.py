"""The training step as a pure function, for Keras here and for XLA anywhere."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Callable, NamedTuple

import tensorflow as tf

from tf_imgcomp.data.patches import PHOTOS, Sampling
from tf_imgcomp.ops.replaced_variables import replaced
from tf_imgcomp.training.weights import named_variables


@dataclass(frozen=True)
class Trainable:
    """A model and its training objective.

    Attributes:
        model: Keras model, built.
        objective: function of images, uint8 `(b, h, w, 3 * pictures)`, a seed, int32
            `(2,)` or None for no noise, and qualities, float32 `(b,)`, that returns the
            loss and a dict of metrics, all float32 scalars.
        pattern: regular expression. Variables whose path (see `training.weights`) it
            matches at the start are trained, all others are fixed.
        sampling: layout and augmentation of the images.
    """

    model: tf.keras.Model
    objective: Callable
    pattern: str = ""
    sampling: Sampling = PHOTOS

    @property
    def variables(self) -> dict:
        """The trained variables by path."""
        return {
            path: variable
            for path, variable in named_variables(self.model).items()
            if re.match(self.pattern, path)
        }


class StepResult(NamedTuple):
    """The results of one step, which changes no variable.

    Attributes:
        loss: float32 scalar.
        gradients: one tensor per parameter.
        metrics: dict of float32 scalars.
    """

    loss: tf.Tensor
    gradients: list
    metrics: dict


def training_step(
    objective: Callable,
    variables: Sequence[tf.Variable],
    parameters: Sequence[tf.Tensor],
    images: tf.Tensor,
    seed: tf.Tensor,
    quality: tf.Tensor,
) -> StepResult:
    """Loss, gradients and metrics at given parameters, inside a `tf.function`.

    Args:
        objective: see `Trainable`. In an export it reads no other variables.
        variables: those that are trained; their values do not matter.
        parameters: tensors to use in their place, in the same order.
        images: uint8 `(b, h, w, 3 * pictures)`.
        seed: int32 `(2,)`, seed of all noise.
        quality: float32 `(b,)`.
    """
    parameters = list(map(tf.convert_to_tensor, parameters))
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(parameters)
        with replaced(variables, parameters):
            loss, metrics = objective(images, seed, quality)
    gradients = tape.gradient(
        loss, parameters, unconnected_gradients=tf.UnconnectedGradients.ZERO
    )
    # tf.gather's gradient is sparse, which XLA and other optimizers do not support.
    return StepResult(loss, list(map(tf.convert_to_tensor, gradients)), metrics)


def evaluation(
    objective: Callable,
    variables: Sequence[tf.Variable],
    parameters: Sequence[tf.Tensor],
    images: tf.Tensor,
    quality: tf.Tensor,
) -> tuple:
    """Loss and metrics at given parameters, without noise; see `training_step`."""
    with replaced(variables, list(map(tf.convert_to_tensor, parameters))):
        return objective(images, None, quality)
