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
        plateau_factor: float. Factor of the learning rate on a plateau. The default is
            PyTorch's: the report of mfca_pmcn names none.
        clip_norm: float. Maximum global norm of the gradients.
        beta_1: float. Decay of the mean gradient; None for the optimizer's own.
        average_decay: float. Decay of the exponential average of the weights.
        spike_factor: float. A step is skipped if its gradient norm exceeds the running
            average by this factor.
        norm_decay: float. Decay of that running average.
        norm_warmup: int. Steps before the average is trusted.
        norm_warmup_decay: float. Decay in these steps.
        optimizer: one of `OPTIMIZERS`.
    """

    steps: int
    learning_rate: float = 1e-3
    schedule: str = "cosine"
    warmup_steps: int = 200
    patience: int = 5
    plateau_factor: float = 0.1
    clip_norm: float = 1.0
    beta_1: Optional[float] = None
    average_decay: float = 0.999
    spike_factor: float = 20.0
    norm_decay: float = 0.98
    norm_warmup: int = 50
    norm_warmup_decay: float = 0.9
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


def optimizer_settings(config: OptimizationConfig) -> dict:
    """Settings of the optimizer for JSON, its own defaults included.

    The learning rate, which the config has, and settings that change no weights are
    left out.
    """
    settings = make_optimizer(config).get_config()
    left_out = ("name", "learning_rate", "jit_compile", "is_legacy_optimizer")
    return {name: settings[name] for name in settings if name not in left_out}


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

    Args:
        config: has the limits.

    Attributes:
        skipped: int64 variable, number of bad steps.
    """

    def __init__(self, config: OptimizationConfig):
        super().__init__()
        self._config = config
        self.skipped = _counter(tf.int64)
        self._seen = _counter(tf.int64)
        self._norm = _counter(tf.float32)

    def __call__(self, gradients: list) -> tuple:
        """Gradients to apply, and their norm before clipping."""
        config, norm = self._config, tf.linalg.global_norm(gradients)
        trusted = self._seen >= config.norm_warmup
        limit = config.spike_factor * self._norm
        fit = tf.math.is_finite(norm) & ~(trusted & (norm > limit))
        # A spike counts as the largest norm allowed. The running norm then adapts
        # gradually to larger gradients.
        counted = tf.where(trusted, tf.minimum(norm, limit), norm)
        decay = tf.where(trusted, config.norm_decay, config.norm_warmup_decay)
        decay = tf.where(tf.equal(self._seen, 0), 0.0, decay)
        mean = decay * self._norm + (1 - decay) * counted
        self._norm.assign(tf.where(tf.math.is_finite(norm), mean, self._norm))
        self._seen.assign_add(1)
        self.skipped.assign_add(tf.cast(~fit, tf.int64))
        clipped, _ = tf.clip_by_global_norm(gradients, config.clip_norm, norm)
        return [tf.where(fit, g, tf.zeros_like(g)) for g in clipped], norm


def _counter(dtype) -> tf.Variable:
    # Replicas see the same gradients, so the first one's count is right for all.
    first = tf.VariableAggregation.ONLY_FIRST_REPLICA
    return tf.Variable(0, dtype=dtype, trainable=False, aggregation=first)
