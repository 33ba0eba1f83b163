"""What the benchmarks share: what the float model says of integers that were coded."""

import tensorflow as tf

from tf_imgcomp.codecs.base import Codec
from tf_imgcomp.entropy import mixture, passes


def estimated_bits(codec: Codec, y_hat, z_hat, quality) -> tf.Tensor:
    """Bits, float32 scalar, of the integers of one image.

    Args:
        codec: with trained weights.
        y_hat: float32 `(1, h, w, c)`.
        z_hat: float32 `(1, h / 4, w / 4, n)`.
        quality: float32 scalar.
    """
    coder, quality = codec.latent_coder, quality[None]
    config = coder.config
    gains = tf.split(codec.gain.log2(codec.level(quality)), config.slices, -1)
    known = passes.by_pass(config.context, config.slices, y_hat)
    bits = [coder._z_bits(z_hat)[0]]

    def code(number, colour, raw):
        parameters = mixture.split_parameters(
            raw, config.components, config.tied, gains[number]
        )
        y_hat = known[number, colour]
        bits.append(tf.reduce_sum(mixture.mixture_bits(y_hat, parameters)))
        return y_hat

    def code_in_order(number, networks, before):
        embedded = networks.embed(known[number, 0])
        return code(number, 0, passes.parameters_around(networks, before, embedded))

    psi = coder.describe(z_hat, codec.rate_features(quality))
    passes.run_passes(config.context, coder.slices, psi, code, code_in_order)
    return tf.add_n(bits)
