"""Applying gradients: schedule, clipping, bad steps left out, weight average."""

from dataclasses import dataclass

import tensorflow as tf


@dataclass(frozen=True)
class OptimizationConfig:
    """How parameters move.

    Attributes:
        steps: int. Length of the run.
        learning_rate: float. Where the schedule is highest.
        schedule: "cosine", to zero at the end of the run, or "plateau": constant until
            validation gets no better, see `training.plateau`.
        warmup_steps: int. Linear rise from zero before the cosine.
        patience: int. Validations without improvement before a plateau ends.
        clip_norm: float. Global gradient norm.
        beta_1: float. Of Adam: decay of the mean gradient.
        average_decay: float. Of the exponential average of the weights.
        spike_factor: float. A step whose gradient norm is this many times its running
            average is left out.
    """

    steps: int
    learning_rate: float = 1e-3
    schedule: str = "cosine"
    warmup_steps: int = 200
    patience: int = 5
    clip_norm: float = 1.0
    beta_1: float = 0.9
    average_decay: float = 0.999
    spike_factor: float = 20.0


def make_optimizer(config: OptimizationConfig) -> tf.keras.optimizers.Optimizer:
    """Adam with its schedule and an average of the weights."""
    return tf.keras.optimizers.Adam(
        _learning_rate(config),
        beta_1=config.beta_1,
        use_ema=True,
        ema_momentum=config.average_decay,
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
    """Clips gradients; those of a step that is not fit count as zero.

    Not fit is a step whose gradients are not finite, or so far above the usual that
    one such step could undo a thousand.

    Attributes:
        skipped: int64 variable, how many steps were not fit.
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
    # Replicas see the same gradients, so what the first one counts is right for all.
    first = tf.VariableAggregation.ONLY_FIRST_REPLICA
    return tf.Variable(0, dtype=dtype, trainable=False, aggregation=first)
