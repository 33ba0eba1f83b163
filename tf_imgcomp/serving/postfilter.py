"""A post-filter for a server: batches of files, TensorFlow's own operations."""

import tensorflow as tf

from tf_imgcomp.export.hidden import Hidden
from tf_imgcomp.export.postfilter import PostfilterModule, tile_sizes
from tf_imgcomp.ops.graphs import graph_function
from tf_imgcomp.ops.rounding import to_pixels
from tf_imgcomp.postfilter.ensembles import ENSEMBLES, signature
from tf_imgcomp.serving import image_bytes
from tf_imgcomp.serving.card import card_signature
from tf_imgcomp.serving.conditions import Conditions, limited
from tf_imgcomp.serving.image_bytes import DecodedImage
from tf_imgcomp.serving.placement import (
    CPU,
    FILES_AT_ONCE,
    TILES_AT_ONCE,
    TILES_IN_CALL,
)
from tf_imgcomp.serving.windows import Grid

_NAMES = [signature(ensemble) for ensemble in ENSEMBLES]
SIGNATURES = (*_NAMES, *(f"{name}_tiles" for name in _NAMES), "card")
_FILES = (
    tf.TensorSpec([None], tf.string, "images"),
    tf.TensorSpec([None], tf.float32, "qp"),
)
_TILES = (
    tf.TensorSpec([None, None, None, 3], tf.uint8, "images"),
    tf.TensorSpec([None], tf.float32, "qp"),
)


class ServingFilter(tf.Module):
    """A post-filter as functions of batches.

    Signatures, batch first; `qp` is the setting of the codec that decoded the images:

        filter          images string [b], PNG or JPEG; qp float32 [b]
                        -> images_bytes string [b], PNG; error string [b]
        rotations       the same, mean over 4 rotations
        flips           the same, mean over 4 rotations and their mirror images
        filter_tiles    images uint8 [b, h, w, 3], qp float32 [b]
                        -> images uint8 [b, h, w, 3]
        rotations_tiles, flips_tiles    the same for the means
        card            see `card`

    `error` is "", or why an element has no image. Large images are filtered in tiles,
    as `image_codecs.filtered` does it.

    Args:
        model: the filter.
        card: its card.
        pixels_max: larger images are refused.
    """

    def __init__(self, model: PostfilterModule, card: dict, pixels_max: int):
        super().__init__(name="postfilter")
        self._model, self._pixels_max = Hidden(model), pixels_max
        side = card["tile"] + 2 * card["border"]
        # A server puts tiles of several clients into one call.
        self._pixels_in_call = max(pixels_max, TILES_IN_CALL * side * side)
        self.weights, self.fingerprint = model.weights, model.fingerprint
        one, *means = _NAMES
        self._functions = {
            **{name: self._whole_images(name) for name in _NAMES},
            f"{one}_tiles": self.filter_tiles,
            **{f"{name}_tiles": self._tiles(name) for name in means},
            "card": card_signature(card),
        }

    @property
    def signatures(self) -> dict:
        """The functions by the names that they are exported under."""
        return {name: self._functions[name] for name in SIGNATURES}

    @graph_function(input_signature=_TILES)
    def filter_tiles(self, images, qp):
        model = self._model.value
        pixels = tf.size(images, tf.int64) // 3
        images = limited(images, pixels, self._pixels_in_call)
        with model.weights.used():
            x_hat = model.postfilter(images, qp)
        return {"images": to_pixels(x_hat)}

    def _tiles(self, name: str) -> tf.types.experimental.GenericFunction:
        """The signature of tiles for a function that takes the mean of views."""
        restore = getattr(self._model.value, name)

        def filter_tiles(images, qp):
            pixels = tf.size(images, tf.int64) // 3
            images = limited(images, pixels, self._pixels_in_call)
            x_hat = tf.map_fn(
                lambda element: restore(*element)["image"],
                (images, qp),
                parallel_iterations=TILES_AT_ONCE,
                fn_output_signature=tf.TensorSpec([None, None, 3], tf.uint8),
            )
            return {"images": x_hat}

        return graph_function(filter_tiles, _TILES)

    def _whole_images(self, name: str) -> tf.types.experimental.GenericFunction:
        """The signature of whole images for one of the model's functions."""
        restore = getattr(self._model.value, name)

        def filter_file(element):
            data, qp = element
            conditions = Conditions()
            conditions.require(tf.math.is_finite(qp), "expected a finite QP")
            with tf.device(CPU):
                image = image_bytes.decode(data, self._pixels_max, conditions)

            def filtered():
                pixels = self._filtered(restore, image.pixels, qp)
                with tf.device(CPU):
                    return image_bytes.encode(DecodedImage(pixels, image.grey))

            file = tf.cond(conditions.hold, filtered, lambda: tf.constant(""))
            return file, conditions.error

        def filter_files(images, qp):
            files, error = tf.map_fn(
                filter_file,
                (images, qp),
                parallel_iterations=FILES_AT_ONCE,
                fn_output_signature=(tf.string, tf.string),
            )
            return {"images_bytes": files, "error": error}

        return graph_function(filter_files, _FILES)

    def _filtered(self, restore, pixels, qp) -> tf.Tensor:
        """An image filtered tile by tile, uint8 `(h, w, 3)`."""
        sizes = tile_sizes(self._model.value.postfilter)
        grid = Grid(tf.shape(pixels)[:2], sizes["tile"])

        def tile(number):
            inner = grid.tile(number)
            seen = inner.grown(sizes["border"], grid.size)
            image = restore(seen.of(pixels), qp)["image"]
            return grid.block(inner.seen_from(seen).of(image), number)

        blocks = tf.map_fn(
            tile,
            tf.range(tf.reduce_prod(grid.shape)),
            parallel_iterations=TILES_AT_ONCE,
            fn_output_signature=tf.TensorSpec([None, None, 3], tf.uint8),
        )
        return grid.joined(blocks)
