"""The encoder's feedback: it decodes its latents and corrects them before coding.

See docs/feedback.md for the method and what it gains.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import tensorflow as tf

from tf_imgcomp.entropy.optional_slice import is_worth_coding

if TYPE_CHECKING:
    from tf_imgcomp.codecs.base import Codec, CodecConfig


def corrected(
    codec: Codec, y: tf.Tensor, images: tf.Tensor, quality: tf.Tensor
) -> tf.Tensor:
    """The latents that an encoder codes: those of `Codec.analysis`, corrected.

    They are decoded, and moved by the error of the picture. Rounding with a dead zone
    stands for the choice of integers, which would take the entropy model. The
    correction has no gradient.

    Args:
        codec: its config's `feedback` has the step size of each round.
        y: the output of `analysis`.
        images: its input.
        quality: its input.

    Returns:
        Like y.
    """
    moved = y
    for share in codec.config.feedback:
        y_hat = _likely_integers(codec.config, moved)
        x_hat = tf.clip_by_value(codec.synthesis(y_hat, quality), 0.0, 255.0)
        aim = y_hat + codec.analysed_error(images, x_hat, y, quality)
        moved += share * tf.stop_gradient(aim - moved)
    return moved


def _likely_integers(config: CodecConfig, y: tf.Tensor) -> tf.Tensor:
    rounded = tf.floor(tf.abs(y) + (1 - config.feedback_dead_zone))
    y_hat, coder = tf.sign(y) * rounded, config.coder
    if not coder.optional_slice:
        return y_hat
    used = is_worth_coding(y[..., coder.base_depth :], coder, coder.bits_per_error)
    used = tf.cast(used, y.dtype)[:, None, None, None]
    base, optional = tf.split(y_hat, [coder.base_depth, -1], -1)
    return tf.concat([base, used * optional], -1)
