"""Exports a trained codec as a SavedModel that compresses and decompresses."""

import hashlib
from pathlib import Path

import tensorflow as tf

from tf_imgcomp import model_folder
from tf_imgcomp.codecs.base import QUALITY_MAX, QUALITY_MIN, Codec
from tf_imgcomp.entropy.integer_coder import QUALITY_STEPS, IntegerCoder
from tf_imgcomp.export import saving
from tf_imgcomp.export.packed_weights import Hidden, PackedWeights, half_precision
from tf_imgcomp.export.precision import in_float32
from tf_imgcomp.export.refinement import RefinementModule
from tf_imgcomp.ops.rounding import round_half_up

# Peak memory of compress or decompress, with a margin. Measured: 380 to 500, on images
# of 0.4 and 2.8 megapixels.
BYTES_PER_PIXEL = 600.0


_IMAGE = (
    tf.TensorSpec((None, None, 3), tf.uint8, "image"),
    tf.TensorSpec((), tf.float32, "quality"),
)
_FILE = (
    tf.TensorSpec((None,), tf.string, "strings"),
    tf.TensorSpec((), tf.int32, "height"),
    tf.TensorSpec((), tf.int32, "width"),
    tf.TensorSpec((), tf.int64, "quality"),
)


class CodecModule(tf.Module):
    """A codec as TensorFlow functions; entropy coding inside the graph.

    Signatures, all for one image:

        compress     image uint8 (h, w, 3), quality float32 in [1, 100]
                     -> strings (n,), checksum int32, quality int64 in hundredths
        decompress   strings (n,), height int32, width int32, quality int64
                     -> image uint8 (h, w, 3), checksum int32, sound bool
        analysis     image, quality -> y float32 (1, H / 16, W / 16, c), z; of codecs
                     with a learned map also importance float32 (H / 16, W / 16), 0 to 1
        latents      arguments of decompress -> y_hat float32, checksum, sound
        synthesis    y_hat float32 (1, H / 16, W / 16, c), quality -> image (H, W, 3)

    Strings are damaged, or from another model, if their number is wrong (`sound` is
    false) or if `decompress` does not return the checksum of `compress`.

    Both transforms are float32, with weights saved in half precision. On another
    machine a latent next to a tie may become another integer (in 3 of 96 files, with
    oneDNN off), and a pixel may differ by one grey level. From latents on all is exact:
    such files decode to the same latents everywhere.

    Args:
        codec: a built codec with trained weights.
    """

    def __init__(self, codec: Codec):
        super().__init__(name="codec")
        codec = in_float32(codec, QUALITY_MAX)
        self._codec = Hidden(codec)
        self.coder = IntegerCoder(codec.latent_coder, codec.gain)
        self.analysis_weights = PackedWeights(*_encoder(codec))
        self.synthesis_weights = PackedWeights(
            codec.synthesis_transform, codec.inverse_gain
        )
        fingerprint = _fingerprint(codec, self.coder)
        self.fingerprint = tf.Variable(fingerprint, trainable=False)
        self.synthesis = self._make_synthesis()

    @property
    def signatures(self) -> dict:
        """The functions by the names that they are exported under."""
        names = ("compress", "decompress", "analysis", "latents", "synthesis")
        return {name: getattr(self, name) for name in names}

    @tf.function(input_signature=_IMAGE)
    def compress(self, image, quality):
        hundredths = _hundredths(quality)
        latents = self.analysis(image, quality)
        encoded = self.coder.encode(latents["y"], latents["z"], hundredths)
        return {
            "strings": encoded.strings,
            "checksum": encoded.checksum,
            "quality": hundredths,
        }

    @tf.function(input_signature=_FILE)
    def decompress(self, strings, height, width, quality):
        decoded = self.latents(strings, height, width, quality)
        image = self.synthesis(decoded["y_hat"], _quality(quality))["image"]
        return {
            "image": image[:height, :width],
            "checksum": decoded["checksum"],
            "sound": decoded["sound"],
        }

    @tf.function(input_signature=_IMAGE)
    def analysis(self, image, quality):
        codec, quality = self._codec.value, _quality(_hundredths(quality))
        with self.analysis_weights.used():
            y, importance = codec.analysis_and_importance(image[None], quality[None])
            rate = codec.rate_features(quality[None])
            latents = {"y": y, "z": codec.latent_coder.run_hyper_analysis(y, rate)}
            if importance is not None:
                latents["importance"] = importance[0]
            return latents

    @tf.function(input_signature=_FILE)
    def latents(self, strings, height, width, quality):
        stride = self._codec.value.stride
        rows, columns = -(-height // stride), -(-width // stride)
        decoded = self.coder.decode(strings, rows, columns, quality)
        return {
            "y_hat": decoded.y_hat,
            "checksum": decoded.checksum,
            "sound": decoded.valid_string_count,
        }

    def _make_synthesis(self):
        """The synthesis signature, which depends on the latent depth."""
        depth = self.coder.config.latent_depth
        y_hat = tf.TensorSpec((1, None, None, depth), tf.float32, "y_hat")

        @tf.function(input_signature=(y_hat, _IMAGE[1]))
        def synthesis(y_hat, quality):
            quality = _quality(_hundredths(quality))
            with self.synthesis_weights.used():
                x_hat = self._codec.value.synthesis(y_hat, quality[None])[0]
            x_hat = tf.clip_by_value(round_half_up(x_hat), 0, 255)
            return {"image": tf.cast(x_hat, tf.uint8)}

        return synthesis


def _encoder(codec: Codec) -> tuple:
    """The layers from image to latents."""
    return codec.analysis_transform, codec.latent_coder.hyper_analysis, codec.gain


def _hundredths(quality: tf.Tensor) -> tf.Tensor:
    bounded = tf.clip_by_value(quality, QUALITY_MIN, QUALITY_MAX)
    return tf.cast(tf.round(bounded * QUALITY_STEPS), tf.int64)


def _quality(hundredths: tf.Tensor) -> tf.Tensor:
    return tf.cast(hundredths, tf.float32) / QUALITY_STEPS


def _fingerprint(codec: Codec, coder: IntegerCoder) -> int:
    """16 bits of a hash of all weights and tables, and of a coded test string."""
    analysis, hyper_analysis, gain = _encoder(codec)
    synthesis, inverse_gain = codec.synthesis_transform, codec.inverse_gain
    parts = analysis, synthesis, hyper_analysis, gain, inverse_gain
    variables = [v for part in parts for v in part.trainable_variables]
    digest = hashlib.sha256()
    for tensor in (half_precision(variables), *coder.variables):
        digest.update(tensor.numpy().tobytes())
    y = 30 * tf.sin(tf.range(64.0 * coder.config.latent_depth) ** 1.5) ** 9
    y = tf.reshape(tf.round(y), [1, 8, 8, -1])
    z = tf.zeros((1, 2, 2, coder.config.hyper_depth))
    for string in coder.encode(y, z, tf.constant(5000, tf.int64)).strings.numpy():
        digest.update(string)
    return int.from_bytes(digest.digest()[:2], "big")


def export(codec: Codec, folder: Path, card: dict) -> None:
    """Writes the SavedModel of a codec, its model card, and what refines its latents.

    The refinement is a SavedModel of its own in a folder inside, so that a codec loads
    as fast without it.

    Args:
        codec: built, with trained weights.
        folder: `saved_models/<id>`; its name is the codec's id.
        card: facts about the weights: flags, data, steps, figures.

    Raises:
        ValueError: If the folder's name cannot be a codec's id.
    """
    module = CodecModule(codec)
    card = {"bytes_per_pixel": BYTES_PER_PIXEL, **card}
    saving.save(module, module.signatures, folder, card)
    refinement = RefinementModule(codec, module.coder, module.fingerprint)
    inner = str(Path(folder) / model_folder.REFINEMENT)
    # Repeated nodes stay: saved gradients of operations refer to some by name.
    tf.saved_model.save(refinement, inner, refinement.signatures)
