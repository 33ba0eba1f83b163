"""Filtering decoded images: from 8-bit pixels to 8-bit pixels."""

import tensorflow as tf

from tf_imgcomp.ops.graphs import graph_function
from tf_imgcomp.ops.rounding import to_pixels
from tf_imgcomp.postfilter.ensembles import ENSEMBLES


def restore(
    postfilter: tf.keras.Model,
    image: tf.Tensor,
    setting: tf.Tensor,
    ensemble: str = "none",
) -> tf.Tensor:
    """Filters one image.

    Args:
        postfilter: a trained filter.
        image: uint8 `(h, w, 3)`, decoded, any size.
        setting: float32 scalar, the codec's setting.
        ensemble: key of `ENSEMBLES`. The result is the mean of the filtered views: of
            one, of 4 rotations, or of these and their mirror images.

    Returns:
        uint8 `(h, w, 3)`.

    References:
        Lim et al., "Enhanced Deep Residual Networks for Single Image
        Super-Resolution", CVPR Workshops 2017 (the ensemble, section 3.4)
    """
    views = ENSEMBLES[ensemble]

    @graph_function(input_signature=[tf.TensorSpec((None, None, 3), tf.uint8)])
    def filtered(image):  # One function in an exported graph, called for each view.
        return postfilter(image[None], tf.reshape(setting, [1]))[0]

    total = tf.zeros(())
    for view in views:
        total += _turned_back(filtered(_turned(image, *view)), *view)
    return to_pixels(total / len(views))


def _turned(image, turns, mirrored):
    image = tf.reverse(image, [1]) if mirrored else image
    return tf.image.rot90(image, turns)


def _turned_back(image, turns, mirrored):
    image = tf.image.rot90(image, -turns % 4)
    return tf.reverse(image, [1]) if mirrored else image
