"""Clipped gradients, and skipped steps."""

import tensorflow as tf

from tf_imgcomp.training.optimization import OptimizationConfig


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
