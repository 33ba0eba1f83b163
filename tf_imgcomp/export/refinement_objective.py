"""The objective of one image and its gradients as a SavedModel, for the slow mode."""

import tensorflow as tf

from tf_imgcomp.codecs.base import Codec
from tf_imgcomp.entropy.optional_slice import is_worth_coding
from tf_imgcomp.entropy_coding.integer_coder import QUALITY_STEPS
from tf_imgcomp.export.hidden import Hidden
from tf_imgcomp.export.packed_weights import in_saved_order, unpacked
from tf_imgcomp.export.refinement_bits import RefinementBits
from tf_imgcomp.losses.distortion import DISTORTIONS, mean_squared_error
from tf_imgcomp.losses.scales import LossScales
from tf_imgcomp.ops.graphs import graph_function
from tf_imgcomp.ops.padding import pad_to_multiple
from tf_imgcomp.ops.rounding import round_half_up, round_straight_through


class RefinementModule(tf.Module):
    """What the refinement of an image's latents needs, as TensorFlow functions.

    Signatures. `trained` is float16, all trained weights of the codec one after the
    other, `in_saved_order`. This SavedModel does not store them.
    Quality is int64, in hundredths; y, z and their integers are float32
    `(1, H / 16, W / 16, c)` and `(1, H / 64, W / 64, n)`; images are uint8 `(h, w, 3)`:

        weights      trained, image, y, quality
                     -> bits_per_error as y, lmbda float32, uses_optional bool
        objective    trained, image, y, z, quality, bits_per_error, uses_optional
                     -> cost float32, y_hat, z_hat, y_gradient, z_gradient
        distortion   image, decoded
                     -> distortion float32

    `bits_per_error` is what a squared error of one step costs in each latent,
    `uses_optional` whether the encoder codes the optional slice. The cost is in bits:
    the estimated bits, plus `lmbda` times the distortion times the number of pixels.
    The codec's `RefinementConfig` says which distortion. Gradients are taken at the
    integers; `RefinementBits` says which bits they leave out.

    Args:
        codec: a built codec with trained weights.
        tables: those of its integer coder.
        fingerprint: int variable, the codec's.
    """

    def __init__(self, codec: Codec, tables: tf.Module, fingerprint: tf.Variable):
        super().__init__(name="refinement")
        self._codec, self.tables, self.fingerprint = Hidden(codec), tables, fingerprint
        variables = in_saved_order(codec)
        self._variables = Hidden(variables)
        sizes = (variable.shape.num_elements() for variable in variables)
        trained = tf.TensorSpec((sum(sizes),), tf.float16)
        config = codec.latent_coder.config
        y, z = (
            tf.TensorSpec((1, None, None, depth), tf.float32)
            for depth in (config.latent_depth, config.hyper_depth)
        )
        image = tf.TensorSpec((None, None, 3), tf.uint8)
        quality = tf.TensorSpec((), tf.int64)
        used = tf.TensorSpec((), tf.bool)
        self.weights = graph_function(self._weights, [trained, image, y, quality])
        self.objective = graph_function(
            self._objective, [trained, image, y, z, quality, y, used]
        )
        self.distortion = graph_function(self._distortion, [image, image])

    @property
    def signatures(self) -> dict:
        """The functions by the names that they are exported under."""
        names = ("weights", "objective", "distortion")
        return {name: getattr(self, name) for name in names}

    def _weights(self, trained, image, y, quality):
        codec, quality = self._codec.value, quality_batch(quality)
        config = codec.latent_coder.config
        uses_optional = tf.constant(True)
        if config.optional_slice:
            y_optional = y[..., config.base_depth :]
            worth = is_worth_coding(y_optional, config, config.bits_per_error)
            uses_optional = worth[0]
        with unpacked(self._variables.value, trained):
            lmbda, y_hat = codec.lmbda(quality)[0], round_half_up(y)
            if codec.config.refinement.distortion == "mse":
                energy = self._step_energy(y_hat, quality)
                bits_per_error = lmbda / 3 * energy  # Errors are means over 3 colours.
            else:
                weights = self._block_weights(image, y_hat, quality)
                bits_per_error = weights * config.bits_per_error
        least = codec.config.refinement.bits_per_error_min
        bits_per_error = tf.broadcast_to(bits_per_error, tf.shape(y))
        return {
            "bits_per_error": tf.maximum(bits_per_error, least),
            "lmbda": lmbda,
            "uses_optional": uses_optional,
        }

    def _step_energy(self, y_hat, quality) -> tf.Tensor:
        """The squared error in the image that one step in a channel causes, `(c,)`.

        That of the linear path is better to refine by, where there is one. Otherwise it
        is the mean squared norm of the columns of the synthesis's Jacobian, which
        products with random signs estimate (Hutchinson 1990).
        """
        codec = self._codec.value
        energy = codec.linear_step_energy(codec.level(quality))
        if energy is not None:
            return energy
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(y_hat)
            x_hat = codec.synthesis(y_hat, quality)
        energy, probes = 0.0, codec.config.refinement.probes
        for probe in range(probes):
            signs = tf.random.stateless_uniform(tf.shape(x_hat), [probe, 0], -1.0, 1.0)
            products = tape.gradient(x_hat, y_hat, tf.sign(signs))
            energy += tf.reduce_mean(tf.square(products), [0, 1, 2]) / probes
        return energy

    def _block_weights(self, image, y_hat, quality) -> tf.Tensor:
        """What squared errors of each 16x16 pixels count, `(1, H / 16, W / 16, 1)`.

        A distortion is about a weighted sum of squared errors, if these are small. Its
        gradients at errors of random signs, as large as those of `y_hat`, give the
        weights. Their mean is 1.
        """
        codec = self._codec.value
        x = pad_to_multiple(tf.cast(image[None], tf.float32), codec.stride)
        error = mean_squared_error(x, codec.synthesis(y_hat, quality))
        deviation = tf.sqrt(tf.maximum(error, 0.25))
        weights = 0.0
        probes = codec.config.refinement.probes
        for probe in range(probes):
            signs = tf.random.stateless_uniform(tf.shape(x), [probe, 1], -1.0, 1.0)
            signs = tf.sign(signs)
            with tf.GradientTape() as tape:
                x_hat = x + deviation * signs
                tape.watch(x_hat)
                distortion = self._of_images(x, x_hat)
            slopes = tape.gradient(distortion, x_hat) * signs
            weights += tf.reduce_mean(slopes, axis=-1, keepdims=True)
        weights = tf.nn.avg_pool2d(weights, 16, 16, "VALID")
        return weights / tf.reduce_mean(weights)

    def _of_images(self, x, x_hat) -> tf.Tensor:
        """The distortion that latents are refined for, float32 `(1,)`."""
        config = self._codec.value.config.refinement
        scales = LossScales(ms_ssim=config.ms_ssim_scale)
        return DISTORTIONS[config.distortion](x, x_hat, scales)

    def _distortion(self, image, decoded):
        pair = (tf.cast(each[None], tf.float32) for each in (image, decoded))
        return {"distortion": self._of_images(*pair)[0]}

    def _objective(self, trained, image, y, z, quality, bits_per_error, uses_optional):
        codec, quality = self._codec.value, quality_batch(quality)
        latent_coder, image = codec.latent_coder, tf.cast(image[None], tf.float32)
        height, width = tf.shape(image)[1], tf.shape(image)[2]
        weights = unpacked(self._variables.value, trained)
        with weights, tf.GradientTape() as tape:
            tape.watch([y, z])
            z_hat = round_straight_through(z)
            coding = RefinementBits(
                latent_coder.config,
                y,
                codec.gain.log2(codec.level(quality)),
                bits_per_error,
                uses_optional,
                self.tables.read(),
            )
            rate = codec.rate_features(quality)
            y_hat = latent_coder.run_passes(z_hat, rate, coding)
            bits = coding.bits() + latent_coder.z_bits(z_hat)
            x_hat = codec.synthesis(y_hat, quality)[:, :height, :width]
            distortion = self._of_images(image, tf.clip_by_value(x_hat, 0.0, 255.0))
            pixels = tf.cast(height * width, tf.float32)
            cost = (bits + codec.lmbda(quality) * pixels * distortion)[0]
        y_gradient, z_gradient = tape.gradient(cost, [y, z])
        return {
            "cost": cost,
            "y_hat": y_hat,
            "z_hat": z_hat,
            "y_gradient": y_gradient,
            "z_gradient": z_gradient,
        }


def quality_batch(hundredths: tf.Tensor) -> tf.Tensor:
    """A quality in hundredths as a codec takes it, float32 `(1,)`."""
    return tf.cast(hundredths, tf.float32)[None] / QUALITY_STEPS
