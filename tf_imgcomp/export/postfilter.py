"""Exports a trained post-filter as a SavedModel that needs only TensorFlow."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf

from tf_imgcomp.export import saving
from tf_imgcomp.export.float32_copy import in_float32
from tf_imgcomp.export.hidden import Hidden
from tf_imgcomp.export.packed_weights import PackedWeights
from tf_imgcomp.ops.graphs import graph_function
from tf_imgcomp.postfilter.ensembles import ENSEMBLES, signature
from tf_imgcomp.postfilter.inference import restore

TILE = 1024  # Side of the tiles of large images in pixels, a multiple of all cells.

# Peak memory of a tile, by benchmarks/memory.py.
BYTES_PER_PIXEL = 240.0

_INPUT = (
    tf.TensorSpec((None, None, 3), tf.uint8, "image"),
    tf.TensorSpec((), tf.float32, "qp"),
)


class PostfilterModule(tf.Module):
    """A post-filter as TensorFlow functions.

    Signatures, all for one tile of any size with its surroundings:

        filter       image uint8 (h, w, 3), decoded; qp float32, the codec's setting
                     -> image uint8 (h, w, 3)
        rotations    the same, mean over 4 rotations
        flips        the same, mean over 4 rotations and their mirror images

    It computes in float32; weights are saved in half precision.

    Args:
        postfilter: a built filter with trained weights.
    """

    def __init__(self, postfilter: tf.keras.Model):
        super().__init__(name="postfilter")
        postfilter = in_float32(postfilter, 0.0)
        self._postfilter = Hidden(postfilter)
        self.weights = PackedWeights(postfilter)
        digest = hashlib.sha256(self.weights.packed.numpy().tobytes())
        digest.update(json.dumps(tile_sizes(postfilter)).encode())
        fingerprint = int.from_bytes(digest.digest()[:2], "big")
        self.fingerprint = tf.Variable(fingerprint, trainable=False)

    @property
    def postfilter(self) -> tf.keras.Model:
        """The filter; its weights are those of `PackedWeights.used`."""
        return self._postfilter.value

    @graph_function(input_signature=_INPUT)
    def filter(self, image, qp):
        return self._restore(image, qp, "none")

    @graph_function(input_signature=_INPUT)
    def rotations(self, image, qp):
        return self._restore(image, qp, "rotations")

    @graph_function(input_signature=_INPUT)
    def flips(self, image, qp):
        return self._restore(image, qp, "flips")

    def _restore(self, image, qp, ensemble):
        with self.weights.used():
            return {"image": restore(self._postfilter.value, image, qp, ensemble)}


def tile_sizes(postfilter: tf.keras.Model) -> dict:
    """What a card says of a filter's tiles: their side and what they see, in pixels."""
    return {"tile": TILE, "border": postfilter.reach}


def export(
    postfilter: tf.keras.Model,
    folder: Path,
    card: dict,
    finish: Callable[[Path], None] = saving.nothing_more,
) -> None:
    """Writes the SavedModel of a filter and its model card.

    Args:
        postfilter: built, with trained weights.
        folder: `saved_models/<codec>+<filter>`; its name is the id in files.
        card: facts about the weights: flags, data, steps, figures.
        finish: see `saving.save`.

    Raises:
        ValueError: If the folder's name cannot be a codec's id.
    """
    module = PostfilterModule(postfilter)
    names = map(signature, ENSEMBLES)
    signatures = {name: getattr(module, name) for name in names}
    facts = {"bytes_per_pixel": BYTES_PER_PIXEL, **tile_sizes(postfilter)}
    saving.save(module, signatures, folder, facts, card, finish)
