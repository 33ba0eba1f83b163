"""Bits where the user wants them: which latents are left out elsewhere."""

import tensorflow as tf

from tf_imgcomp.ops import resampling

OCTAVES = 3.0  # The multiplier of what is not important at all is 2**-3.


def leave_out(y: tf.Tensor, importance: tf.Tensor) -> tf.Tensor:
    """Zeroes the latents that are too small for where they are.

    With a multiplier from 1 where importance is 1 down to 1/8 where it is 0, a latent
    is zeroed whose product with it rounds to zero. The others are not multiplied: no
    decoder knows of it, and contrast must stay what it is.

    Args:
        y: float `(b, h, w, c)`, in quantizer steps.
        importance: float `(b, H, W)`, 0 to 1, over the same area, H and W multiples
            of h and w. Latents see the mean of their part.

    Returns:
        Latents like `y`, the same where importance is 1.
    """
    shape = tf.shape(y)
    importance = resampling.pool(importance[..., None], shape[1], shape[2])
    product = y * tf.pow(2.0, OCTAVES * (importance - 1))
    unimportant = (tf.abs(product) < 0.5) & (importance < 1)
    return tf.where(unimportant, tf.zeros_like(y), y)
