"""Filtering decoded images: from 8-bit pixels to 8-bit pixels."""

import tensorflow as tf

from tf_imgcomp.ops.rounding import round_half_up


def restore(postfilter: tf.keras.Model, image: tf.Tensor, setting) -> tf.Tensor:
    """Filters one image.

    Args:
        postfilter: a trained filter.
        image: uint8 `(h, w, 3)`, decoded.
        setting: float, what it was coded at.

    Returns:
        uint8 `(h, w, 3)`.
    """
    setting = tf.convert_to_tensor(setting, tf.float32)
    x_hat = postfilter(image[None], setting[None])[0]
    return tf.cast(tf.clip_by_value(round_half_up(x_hat), 0, 255), tf.uint8)
