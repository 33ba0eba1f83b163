"""Optimization: schedule, gradient clipping, skipped steps, weight average."""

from dataclasses import dataclass
from typing import Optional

import tensorflow as tf

from tf_imgcomp.training.soap import Soap

OPTIMIZERS = {"adam": tf.keras.optimizers.Adam, "soap": Soap}


@dataclass(frozen=True)
class OptimizationConfig:
    """Optimizer and schedule.

    Attributes:
        steps: int. Length of the run.
        learning_rate: float. Peak of the schedule.
        schedule: "cosine", to zero at the end of the run, or "plateau": constant until
            validation stops improving, see `training.plateau`.
        warmup_steps: int. Linear rise from zero before the cosine.
        patience: int. Validations without improvement before the learning rate falls.
        clip_norm: float. Maximum global norm of the gradients.
        beta_1: float. Decay of the mean gradient; None for the optimizer's own.
        average_decay: float. Decay of the exponential average of the weights.
        spike_factor: float. A step is skipped if its gradient norm exceeds the running
            average by this factor.
        optimizer: one of `OPTIMIZERS`.
    """

    steps: int
    learning_rate: float = 1e-3
    schedule: str = "cosine"
    warmup_steps: int = 200
    patience: int = 5
    clip_norm: float = 1.0
    beta_1: Optional[float] = None
    average_decay: float = 0.999
    spike_factor: float = 20.0
    optimizer: str = "adam"


def make_optimizer(config: OptimizationConfig) -> tf.keras.optimizers.Optimizer:
    """The optimizer with its schedule and an average of the weights."""
    betas = {} if config.beta_1 is None else {"beta_1": config.beta_1}
    return OPTIMIZERS[config.optimizer](
        _learning_rate(config),
        use_ema=True,
        ema_momentum=config.average_decay,
        **betas,
    )


def _learning_rate(config: OptimizationConfig):
    """A schedule for Keras, or the number that a plateau starts with."""
    if config.schedule == "plateau":
        return config.learning_rate
    return tf.keras.optimizers.schedules.CosineDecay(
        0.0,
        max(1, config.steps - config.warmup_steps),
        warmup_target=config.learning_rate,
        warmup_steps=config.warmup_steps,
    )


class GradientGuard(tf.Module):
    """Clips gradients, and sets those of a bad step to zero.

    A step is bad if its gradients are not finite, or so far above their average that
    it could undo a thousand others.

    Attributes:
        skipped: int64 variable, number of bad steps.
    """

    WARMUP = 50  # Steps before the running norm is trusted.
    DECAY = 0.98

    def __init__(self, clip_norm: float, spike_factor: float):
        super().__init__()
        self._clip_norm, self._spike_factor = clip_norm, spike_factor
        self.skipped = _counter(tf.int64)
        self._seen = _counter(tf.int64)
        self._norm = _counter(tf.float32)

    def __call__(self, gradients: list) -> tuple:
        """Gradients to apply, and their norm before clipping."""
        norm = tf.linalg.global_norm(gradients)
        trusted = self._seen >= self.WARMUP
        limit = self._spike_factor * self._norm
        fit = tf.math.is_finite(norm) & ~(trusted & (norm > limit))
        # A spike counts as the largest norm allowed. The running norm then adapts
        # gradually to larger gradients.
        counted = tf.where(trusted, tf.minimum(norm, limit), norm)
        decay = tf.where(self._seen < self.WARMUP, 0.9, self.DECAY)
        decay = tf.where(tf.equal(self._seen, 0), 0.0, decay)
        mean = decay * self._norm + (1 - decay) * counted
        self._norm.assign(tf.where(tf.math.is_finite(norm), mean, self._norm))
        self._seen.assign_add(1)
        self.skipped.assign_add(tf.cast(~fit, tf.int64))
        clipped, _ = tf.clip_by_global_norm(gradients, self._clip_norm, norm)
        return [tf.where(fit, g, tf.zeros_like(g)) for g in clipped], norm


def _counter(dtype) -> tf.Variable:
    # Replicas see the same gradients, so the first one's count is right for all.
    first = tf.VariableAggregation.ONLY_FIRST_REPLICA
    return tf.Variable(0, dtype=dtype, trainable=False, aggregation=first)
