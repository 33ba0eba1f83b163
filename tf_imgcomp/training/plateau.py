"""A learning rate that falls when validation stops improving."""

import math
from typing import NamedTuple

import tensorflow as tf


class PlateauState(NamedTuple):
    """State of the schedule.

    Attributes:
        best: float, the lowest score so far.
        waited: int, epochs since the best score, or since the learning rate fell.
    """

    best: float = math.inf
    waited: int = 0


def after_epoch(state: PlateauState, score: float, patience: int) -> tuple:
    """The state after an epoch, and whether the learning rate falls.

    It falls after `patience` epochs in a row without a new best score; then counting
    starts again. A score that is not a number is no improvement.

    Args:
        state: the state before.
        score: float, lower is better.
        patience: int, at least 1.
    """
    if score < state.best:
        return PlateauState(score), False
    waited = state.waited + 1
    if waited < patience:
        return state._replace(waited=waited), False
    return state._replace(waited=0), True


class Plateau(tf.Module):
    """Lowers an optimizer's learning rate; checkpoints hold its state.

    Args:
        optimizer: Keras optimizer whose learning rate is a number, not a schedule.
        patience: int. Epochs without improvement before it falls.
        factor: float. By which it falls.
    """

    def __init__(
        self, optimizer: tf.keras.optimizers.Optimizer, patience: int, factor: float
    ):
        super().__init__()
        self._optimizer, self._patience, self._factor = optimizer, patience, factor
        start = PlateauState()
        self._best = tf.Variable(start.best, dtype=tf.float64, trainable=False)
        self._waited = tf.Variable(start.waited, dtype=tf.int64, trainable=False)

    def __call__(self, score: float) -> None:
        """Updates the learning rate after an epoch with this score."""
        state = PlateauState(float(self._best), int(self._waited))
        state, falls = after_epoch(state, score, self._patience)
        self._best.assign(state.best)
        self._waited.assign(state.waited)
        if falls:
            rate = self._optimizer.learning_rate
            rate.assign(self._factor * rate)
