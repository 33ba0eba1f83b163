"""Exports a trained codec as a SavedModel that compresses and decompresses."""

import contextlib
import hashlib
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf

from tf_imgcomp import model_folder
from tf_imgcomp.codecs.base import QUALITY_MAX, QUALITY_MIN, Codec
from tf_imgcomp.entropy_coding import range_coder
from tf_imgcomp.entropy_coding.integer_coder import (
    QUALITY_STEPS,
    DecodedPart,
    IntegerCoder,
)
from tf_imgcomp.entropy_coding.range_coder import RangeCoder
from tf_imgcomp.entropy_coding.symbol_streams import TileStrings
from tf_imgcomp.export import saving
from tf_imgcomp.export.constants import canonical_json
from tf_imgcomp.export.float32_copy import in_float32
from tf_imgcomp.export.hidden import Hidden
from tf_imgcomp.export.packed_weights import (
    PackedWeights,
    half_precision,
    packed_layers,
)
from tf_imgcomp.export.reach import synthesis_reach
from tf_imgcomp.export.refinement_objective import RefinementModule, quality_batch
from tf_imgcomp.ops.graphs import graph_function
from tf_imgcomp.ops.rounding import to_pixels
from tf_imgcomp.ops.surroundings import cropped

_IMAGE = tf.TensorSpec((None, None, 3), tf.uint8, "image")
_CROP = tf.TensorSpec((4,), tf.int32, "crop")
_QUALITY = tf.TensorSpec((), tf.float32, "quality")
_HUNDREDTHS = tf.TensorSpec((), tf.int64, "quality")
_FACTOR = tf.TensorSpec((), tf.int32, "factor")
_BITS_PER_ERROR = tf.TensorSpec((), tf.float32, "bits_per_error")
_STRINGS = tf.TensorSpec((None,), tf.string, "strings")
_SIZE = (
    tf.TensorSpec((), tf.int32, "rows"),
    tf.TensorSpec((), tf.int32, "columns"),
)

TILE = 1024  # Pixels.


class CodecModule(tf.Module):
    """A codec as TensorFlow functions; entropy coding inside the graph.

    Signatures, all for one tile, which may be a whole image. A quality is int64 in
    hundredths; that of compress is float32 in [1, 100].

        compress     image uint8 (h, w, 3), crop int32 (4,), quality
                     -> first (s,), rest (s,), checksums int32 (2,), quality int64
        encode       y, z, both as from analysis, quality, bits_per_error float32
                     -> first, rest, checksums
        analysis     image, crop, quality
                     -> y float32 (1, r, c, depth), z; of codecs with a learned map
                     also importance float32 (r, c), 0 to 1
        first        strings (s,), rows int32, columns int32, quality
                     -> psi float32 (1, rows, columns, features),
                     y_hat float32 (1, rows, columns, slices[0]),
                     checksum int32, valid_string_count bool
        rest         psi, y_hat, both from first, strings (s,), quality
                     -> y_hat float32 (1, rows, columns, depth), checksum,
                     valid_string_count
        synthesis    y_hat float32 (1, r, c, depth), crop, quality
                     -> image uint8, 16 pixels for each latent
        preview      y_hat float32 (1, r, c, slices[0]), crop, quality,
                     factor int32, 1, 2, 4, 8 or 16
                     -> image uint8, that many times smaller

    Transforms see the surroundings of a tile, so that there are no seams. `image` and
    the `y_hat` of synthesis hold them; `crop` is the number of surrounding latents at
    the top, bottom, left and right. Results do not include them. Images are padded at
    the bottom and at the right to multiples of 64. Rows and columns count latents of
    the tile, multiples of 4.

    A part is damaged, or from another model, if `valid_string_count` is false or if its
    checksum is not that of `compress`.

    Entropy coding is exact: every file decodes to the same latents on every machine.
    The transforms are float32, with weights saved in half precision, and not exact: an
    encoder on another machine may round a latent next to a tie to another integer (in
    3 of 96 files, with oneDNN off), and a decoded pixel may differ by one grey level.

    Args:
        codec: a built codec with trained weights.
        tile: int. Side of the tiles of large images in pixels, a multiple of 64.
        coder: writes and reads streams; `range_coder` or `standard_range_coder`.
    """

    def __init__(self, codec: Codec, tile: int = TILE, coder: RangeCoder = range_coder):
        super().__init__(name="codec")
        codec = in_float32(codec, QUALITY_MAX)
        self._codec = Hidden(codec)
        self.card = {"tile": tile, "border": codec.border}
        self.coder = IntegerCoder(codec.latent_coder, codec.gain, coder)
        analysis, synthesis = packed_layers(codec)
        self.analysis_weights = PackedWeights(*analysis)
        self.synthesis_weights = PackedWeights(*synthesis)
        fingerprint = _fingerprint(codec, self.coder, tile)
        self.fingerprint = tf.Variable(fingerprint, trainable=False)
        config = self.coder.config
        y, z, psi, y_first, y_hat = (
            tf.TensorSpec((1, None, None, depth), tf.float32, name)
            for name, depth in (
                ("y", config.latent_depth),
                ("z", config.hyper_depth),
                ("psi", self.coder.psi_depth),
                ("y_hat", config.slices[0]),
                ("y_hat", config.latent_depth),
            )
        )
        self.encode = graph_function(self._encode, [y, z, _HUNDREDTHS, _BITS_PER_ERROR])
        self.rest = graph_function(self._rest, [psi, y_first, _STRINGS, _HUNDREDTHS])
        self.synthesis = graph_function(self._synthesis, [y_hat, _CROP, _HUNDREDTHS])
        self.preview = graph_function(
            self._preview, [y_first, _CROP, _HUNDREDTHS, _FACTOR]
        )

    @property
    def codec(self) -> Codec:
        """The codec; its weights are those of `PackedWeights.used`."""
        return self._codec.value

    @property
    def signatures(self) -> dict:
        """The functions by the names that they are exported under."""
        decoding = ("first", "rest", "synthesis", "preview")
        names = ("compress", "encode", "analysis", *decoding)
        return {name: getattr(self, name) for name in names}

    @contextlib.contextmanager
    def weights_of_encoder(self):
        """Context in which the codec encodes with these weights.

        They are those of both transforms: an encoder decodes what it corrects.
        """
        with self.analysis_weights.used(), self.synthesis_weights.used():
            yield

    @graph_function(input_signature=(_IMAGE, _CROP, _QUALITY))
    def compress(self, image, crop, quality):
        hundredths = in_hundredths(quality)
        latents = self.analysis(image, crop, hundredths)
        bits_per_error = tf.constant(self.coder.config.bits_per_error)
        coded = self.encode(latents["y"], latents["z"], hundredths, bits_per_error)
        return {**coded, "quality": hundredths}

    def decoded(self, coded: dict, height: int, width: int) -> tf.Tensor:
        """The image of one tile, uint8, that `compress` coded; no signature."""
        stride, quality = self.codec.stride, coded["quality"]
        rows, columns = (-(-size // stride) * stride // 16 for size in (height, width))
        first = self.first(coded["first"], rows, columns, quality)
        strings = coded["rest"]
        rest = self.rest(first["psi"], first["y_hat"], strings, quality)
        whole = tf.zeros([4], tf.int32)
        return self.synthesis(rest["y_hat"], whole, quality)["image"][:height, :width]

    def _encode(self, y, z, quality, bits_per_error):
        encoded = self.coder.encode(y, z, quality, bits_per_error)
        return {
            "first": encoded.first,
            "rest": encoded.rest,
            "checksums": encoded.checksums,
        }

    @graph_function(input_signature=(_IMAGE, _CROP, _HUNDREDTHS))
    def analysis(self, image, crop, quality):
        codec, quality = self._codec.value, quality_batch(quality)
        with self.weights_of_encoder():
            y, importance = codec.analysis_and_importance(image[None], quality)
            y = cropped(y, crop)
            z = codec.latent_coder.run_hyper_analysis(y, codec.rate_features(quality))
        latents = {"y": y, "z": z}
        if importance is not None:
            latents["importance"] = cropped(importance, crop)[0]
        return latents

    @graph_function(input_signature=(_STRINGS, *_SIZE, _HUNDREDTHS))
    def first(self, strings, rows, columns, quality):
        stride = self._codec.value.latent_coder.STRIDE
        psi, decoded = self.coder.decode_first(
            TileStrings(strings), rows // stride, columns // stride, quality[None]
        )
        return {"psi": psi, **_outputs(decoded)}

    def _rest(self, psi, y_hat, strings, quality):
        decoded = self.coder.decode_rest(
            TileStrings(strings), psi, y_hat, quality[None]
        )
        return _outputs(decoded)

    def _synthesis(self, y_hat, crop, quality):
        codec = self._codec.value
        with self.synthesis_weights.used():
            x_hat = codec.synthesis(y_hat, quality_batch(quality), crop)
        return {"image": to_pixels(x_hat)[0]}

    def _preview(self, y_hat, crop, quality, factor):
        codec = self._codec.value
        with self.synthesis_weights.used():
            x_hat = codec.preview(y_hat, quality_batch(quality), factor)
        return {"image": to_pixels(cropped(x_hat, 16 * crop // factor))[0]}


def _outputs(decoded: DecodedPart) -> dict:
    """What the signatures of both parts return, for one tile."""
    y_hat, checksums, valid_string_counts = decoded
    return {
        "y_hat": y_hat,
        "checksum": checksums[0],
        "valid_string_count": valid_string_counts[0],
    }


def in_hundredths(quality: tf.Tensor) -> tf.Tensor:
    """Qualities float32, clipped to [1, 100], as int64 hundredths."""
    bounded = tf.clip_by_value(quality, QUALITY_MIN, QUALITY_MAX)
    return tf.cast(tf.round(bounded * QUALITY_STEPS), tf.int64)


def _fingerprint(codec: Codec, coder: IntegerCoder, tile: int) -> int:
    """16 bits of a hash of all weights, tables and constants, and of a coded tile."""
    (analysis, hyper_analysis, gain), (synthesis, inverse_gain) = packed_layers(codec)
    parts = analysis, synthesis, hyper_analysis, gain, inverse_gain
    variables = [v for part in parts for v in part.trainable_variables]
    digest = hashlib.sha256(canonical_json(codec, tile))
    for tensor in (half_precision(variables), *coder.variables):
        digest.update(tensor.numpy().tobytes())
    y = 30 * tf.sin(tf.range(64.0 * coder.config.latent_depth) ** 1.5) ** 9
    y = tf.reshape(tf.round(y), [1, 8, 8, -1])
    z = tf.zeros((1, 2, 2, coder.config.hyper_depth))
    encoded = coder.encode(y, z, tf.constant(5000, tf.int64))
    for string in (*encoded.first.numpy(), *encoded.rest.numpy()):
        digest.update(string)
    return int.from_bytes(digest.digest()[:2], "big")


def export(
    codec: Codec,
    folder: Path,
    card: dict,
    finish: Callable[[Path], None] = saving.nothing_more,
) -> None:
    """Writes the SavedModel of a codec, its model card, and what refines its latents.

    The refinement is a SavedModel of its own in a folder inside, so that a codec loads
    as fast without it.

    Args:
        codec: built, with trained weights.
        folder: `saved_models/<id>`; its name is the codec's id.
        card: facts about the weights: flags, data, steps, figures.
        finish: see `saving.save`.

    Raises:
        ValueError: If the folder's name cannot be a codec's id.
    """
    module = CodecModule(codec)
    memory = ("bytes_per_pixel", "encoder_base")
    facts = {**{name: getattr(codec, name) for name in memory}, **module.card}
    facts["reach"] = synthesis_reach(codec)
    refinement = RefinementModule(module.codec, module.coder.tables, module.fingerprint)

    def finish_with_refinement(new: Path) -> None:
        inner = str(new / model_folder.REFINEMENT)
        # Repeated nodes stay: saved gradients of operations refer to some by name.
        tf.saved_model.save(refinement, inner, refinement.signatures)
        finish(new)

    saving.save(module, module.signatures, folder, facts, card, finish_with_refinement)
