"""Applying gradients: schedule, clipping, bad steps left out, weight average."""

from dataclasses import dataclass

import tensorflow as tf


@dataclass(frozen=True)
class OptimizationConfig:
    """How parameters move.

    Attributes:
        steps: int. Length of the run; the learning rate ends at zero.
        learning_rate: float. Peak of the cosine schedule.
        warmup_steps: int. Linear rise from zero before it.
        clip_norm: float. Global gradient norm.
        average_decay: float. Of the exponential average of the weights.
        spike_factor: float. A step whose gradient norm is this many times its running
            average is left out.
    """

    steps: int
    learning_rate: float = 1e-3
    warmup_steps: int = 200
    clip_norm: float = 1.0
    average_decay: float = 0.999
    spike_factor: float = 20.0


def make_optimizer(config: OptimizationConfig) -> tf.keras.optimizers.Optimizer:
    """Adam with warm-up, cosine decay, clipping and an average of the weights."""
    schedule = tf.keras.optimizers.schedules.CosineDecay(
        0.0,
        max(1, config.steps - config.warmup_steps),
        warmup_target=config.learning_rate,
        warmup_steps=config.warmup_steps,
    )
    return tf.keras.optimizers.Adam(
        schedule,
        use_ema=True,
        ema_momentum=config.average_decay,
    )


class GradientGuard(tf.Module):
    """Clips gradients and decides which steps are fit to apply.

    Attributes:
        skipped: int64 variable, how many were not.
    """

    WARMUP = 50  # Steps before the running norm is trusted.
    DECAY = 0.98

    def __init__(self, clip_norm: float, spike_factor: float):
        super().__init__()
        self._clip_norm, self._spike_factor = clip_norm, spike_factor
        self.skipped = tf.Variable(0, dtype=tf.int64, trainable=False)
        self._seen = tf.Variable(0, dtype=tf.int64, trainable=False)
        self._norm = tf.Variable(0.0, trainable=False)

    def __call__(self, gradients: list) -> tuple:
        """Clipped gradients, their norm before that, and whether to apply them."""
        norm = tf.linalg.global_norm(gradients)
        trusted = self._seen >= self.WARMUP
        spike = tf.logical_and(trusted, norm > self._spike_factor * self._norm)
        fit = tf.logical_and(tf.math.is_finite(norm), tf.logical_not(spike))
        self.skipped.assign_add(tf.cast(tf.logical_not(fit), tf.int64))
        # A spike raises the average a little, so that a new regime is not refused for
        # ever; a non-finite norm leaves it alone.
        seen = tf.minimum(norm, self._spike_factor * tf.maximum(self._norm, norm / 1e3))
        decay = tf.where(trusted, self.DECAY, 0.9)
        decay = tf.where(self._seen == 0, 0.0, decay)
        mean = decay * self._norm + (1 - decay) * seen
        self._norm.assign(tf.where(tf.math.is_finite(norm), mean, self._norm))
        self._seen.assign_add(1)
        clipped, _ = tf.clip_by_global_norm(gradients, self._clip_norm, norm)
        return clipped, norm, fit
