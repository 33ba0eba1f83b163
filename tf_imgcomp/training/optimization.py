"""The optimizer of a run: its settings, schedule and weight average."""

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
