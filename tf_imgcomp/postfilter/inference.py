"""Filtering decoded images: from 8-bit pixels to 8-bit pixels.

Large images are filtered in tiles, to bound memory. Each tile includes the surroundings
that convolutions reach (`Xue2019.reach`), so only channel attention sees a difference:
it pools over the tile with its surroundings instead of the whole image. An image no
larger than a tile is filtered whole.
"""

import tensorflow as tf

from tf_imgcomp.ops.rounding import round_half_up
from tf_imgcomp.postfilter.ensembles import ENSEMBLES

TILE = 1024  # Pixels, without surroundings; a multiple of all cells.


def restore(
    postfilter: tf.keras.Model,
    image: tf.Tensor,
    setting: tf.Tensor,
    ensemble: str = "none",
    tile: int = TILE,
) -> tf.Tensor:
    """Filters one image.

    Args:
        postfilter: a trained filter.
        image: uint8 `(h, w, 3)`, decoded, any size.
        setting: float32 scalar, the codec's setting.
        ensemble: key of `ENSEMBLES`. The mean of the filtered views: 4 rotations, or
            these and their mirror images.
        tile: int. Side of the tiles of a large image, a multiple of the filter's cell.

    Returns:
        uint8 `(h, w, 3)`.

    References:
        Lim et al., "Enhanced Deep Residual Networks for Single Image
        Super-Resolution", CVPR Workshops 2017 (the ensemble, section 3.4)
    """
    views = ENSEMBLES[ensemble]

    @tf.function(input_signature=[tf.TensorSpec((None, None, 3), tf.uint8)])
    def filtered(image):  # In an exported graph once, called for each view.
        return in_tiles(postfilter, image, setting, tile)

    total = tf.zeros(())
    for view in views:
        total += _turned_back(filtered(_turned(image, *view)), *view)
    x_hat = round_half_up(total / len(views))
    return tf.cast(tf.clip_by_value(x_hat, 0, 255), tf.uint8)


def in_tiles(
    postfilter: tf.keras.Model, image: tf.Tensor, setting: tf.Tensor, tile: int
) -> tf.Tensor:
    """Filters an image, uint8 `(h, w, 3)`, tile by tile, to float32, not rounded."""
    height, width = tf.shape(image)[0], tf.shape(image)[1]
    bands = _list_of_maps()
    for top in tf.range(0, height, tile):
        band = _list_of_maps()
        for left in tf.range(0, width, tile):
            x_hat = _one_tile(postfilter, image, setting, top, left, tile)
            # Lists are joined along the first axis.
            band = band.write(band.size(), tf.transpose(x_hat, [1, 0, 2]))
        bands = bands.write(bands.size(), tf.transpose(band.concat(), [1, 0, 2]))
    return tf.ensure_shape(bands.concat(), (None, None, 3))


def _list_of_maps() -> tf.TensorArray:
    return tf.TensorArray(
        tf.float32,
        0,
        dynamic_size=True,
        infer_shape=False,
        element_shape=(None, None, 3),
    )


def _one_tile(postfilter, image, setting, top, left, tile):
    reach = postfilter.reach
    above, before = tf.minimum(top, reach), tf.minimum(left, reach)
    window = image[
        top - above : top + tile + reach, left - before : left + tile + reach
    ]
    x_hat = postfilter(window[None], tf.reshape(setting, [1]))[0]
    return x_hat[above : above + tile, before : before + tile]


def _turned(image, turns, mirrored):
    image = tf.reverse(image, [1]) if mirrored else image
    return tf.image.rot90(image, turns)


def _turned_back(image, turns, mirrored):
    image = tf.image.rot90(image, -turns % 4)
    return tf.reverse(image, [1]) if mirrored else image
