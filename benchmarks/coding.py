"""What exact entropy coding costs in bits, and why it computes as it does.

    python benchmarks/coding.py --weights=WEIGHTS.npz [IMAGE...]

WEIGHTS are what bin/train wrote. Prints

- for several qualities what the float model estimates for the rounded latents, how
  many more bytes the real strings have, and how many if every element is coded, which
  is what integer networks and tables lose;
- for several values of `entropy.integer_mixture.CERTAIN` the share of latents coded
  and the BD-rate against coding all of them;
- the speed of matrix products in float32, float64 and int32.

Every image takes about a minute on two cores.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # No start-up noise.

from collections.abc import Sequence
from pathlib import Path

import bjontegaard
import measure
import numpy as np
import tensorflow as tf
from absl import app, flags

from tf_imgcomp import metrics
from tf_imgcomp.codecs.base import Codec
from tf_imgcomp.data.images import read_image
from tf_imgcomp.entropy import integer_mixture, passes
from tf_imgcomp.entropy.coding import CodingPlan
from tf_imgcomp.export.saved_model import CodecModule
from tf_imgcomp.training.weights import load_weights

_WEIGHTS = flags.DEFINE_string("weights", None, "Weights of the codec.", required=True)
_CODEC = flags.DEFINE_string("codec", "fdram", "Name of the codec.")
_SIZES = flags.DEFINE_string("sizes", "{}", "Sizes that differ from the codec's, JSON.")
_QUALITIES = flags.DEFINE_list("qualities", "5,20,35,50,70,90", "Qualities.")

ONE = 1 << integer_mixture.ONE_BITS
CERTAIN_BITS = (12, 10, 9, 8, 7, 6, 5)  # Certain from a probability of 1 - 2**-bits.
PRODUCTS = ((1536, 512, 192), (1536, 192, 1536), (1536, 1152, 512))


def code(codec: Codec, images: Sequence[np.ndarray], certain: int) -> np.ndarray:
    """Codes images, taking for certain what is at least `certain / ONE` probable.

    Returns:
        float64 `(qualities, images, 3)`: bytes of all strings, PSNR in dB, and the
        share of latents that is coded.
    """
    present, integer_mixture.CERTAIN = integer_mixture.CERTAIN, certain
    module = CodecModule(codec)  # The threshold is a constant of its graphs.

    @tf.function(reduce_retracing=True)
    def coded_share(y_hat, z, hundredths):
        known = passes.split_passes(codec.latent_coder.config.context, y_hat)
        counts = []

        coder = module.coder
        functions, log2_gain = coder.tables.read(), coder._log2_gain(hundredths)

        def count(index, raw):
            parameters = coder.split_parameters(raw, log2_gain)
            mixture = integer_mixture.make_mixture(functions, *parameters)
            plan = CodingPlan(functions, mixture)
            counts.append(tf.size(plan.elements))
            return known[index]

        coder._run(tf.floor(z + 0.5), count)
        return tf.add_n(counts) / tf.size(y_hat)

    def code_one(quality, pixels):
        latents = module.analysis(pixels, quality)
        hundredths = tf.cast(tf.round(quality * 100), tf.int64)
        encoded = encode(latents["y"], latents["z"], hundredths)
        x_hat = module.synthesis(encoded.y_hat, quality)["image"].numpy()
        height, width, _ = pixels.shape
        return (
            sum(map(len, encoded.strings.numpy())),
            metrics.psnr(pixels, x_hat[:height, :width]),
            coded_share(encoded.y_hat, latents["z"], hundredths),
        )

    encode = tf.function(module.coder.encode, reduce_retracing=True)
    results = [[code_one(q, pixels) for pixels in images] for q in _qualities()]
    integer_mixture.CERTAIN = present
    return np.array(results, np.float64)


def estimate(codec: Codec, images: Sequence[np.ndarray]) -> np.ndarray:
    """Bytes that the float model expects, float64 `(qualities, images)`."""

    @tf.function(reduce_retracing=True)
    def bits(pixels, quality):
        estimated = codec(pixels[None], quality[None])
        return estimated.y_bits[0] + estimated.z_bits[0]

    results = [[bits(pixels, q) / 8 for pixels in images] for q in _qualities()]
    return np.array(results, np.float64)


def _qualities() -> list[tf.Tensor]:
    return [tf.constant(float(quality)) for quality in _QUALITIES.value]


def print_rate_lost(estimated: np.ndarray, real: np.ndarray, all_coded: np.ndarray):
    print("| quality | estimated bytes | real | all coded | largest real - estimated |")
    print("|---|---|---|---|---|")
    for row in zip(_QUALITIES.value, estimated, real, all_coded):
        quality, expected, *columns = row
        lost = [f"{c.sum() / expected.sum() - 1:+.2%}" for c in columns]
        worst = np.max(columns[0] - 1.01 * expected)
        print(
            f"| {quality} | {expected.mean():.0f} | {lost[0]} | {lost[1]} "
            f"| 1 % {worst:+.0f} bytes |"
        )


def print_certainty(results: dict[str, np.ndarray], pixels: int):
    """The first of `results` is what all others are compared with."""
    curves = {
        name: (8 * result[..., 0].mean(1) / pixels, result[..., 1].mean(1))
        for name, result in results.items()
    }
    reference = next(iter(curves.values()))
    print("\n| certain from | coded, by quality | BD-rate |\n|---|---|---|")
    for name, curve in curves.items():
        shares = " ".join(f"{share:.0%}" for share in results[name][..., 2].mean(1))
        change = bjontegaard.bd_rate(*reference, *curve, method="akima")
        print(f"| {name} | {shares} | {change:+.2f} % |")


def print_products():
    """Prints the speed of matrix products, two operations a multiplication."""
    types = (tf.float32, tf.float64, tf.int32)
    print("\n| product | " + " | ".join(f"{t.name}, GFLOP/s" for t in types) + " |")
    print("|---" * (1 + len(types)) + "|")
    for rows, inner, columns in PRODUCTS:
        functions = {}
        for dtype in types:
            x = tf.cast(tf.random.uniform((rows, inner), -99, 99), dtype)
            w = tf.cast(tf.random.uniform((inner, columns), -99, 99), dtype)
            functions[dtype] = lambda x=x, w=w: tf.matmul(x, w)
        seconds = measure.median_seconds(functions, 20)
        operations = 2e-9 * rows * inner * columns
        speeds = " | ".join(f"{operations / seconds[dtype]:.1f}" for dtype in types)
        print(f"| {rows}x{inner} by {inner}x{columns} | {speeds} |")


def main(argv: list[str]) -> None:
    images = [read_image(path).pixels for path in argv[1:] or [measure.EXAMPLE]]
    codec = measure.new_codec(_CODEC.value, _SIZES.value)
    load_weights(codec, Path(_WEIGHTS.value))
    results = {"all coded": code(codec, images, ONE + 1)}
    for bits in CERTAIN_BITS:
        results[f"1 - 2**-{bits}"] = code(codec, images, ONE - (ONE >> bits))
    real = code(codec, images, integer_mixture.CERTAIN)
    all_coded = results["all coded"]
    print_rate_lost(estimate(codec, images), real[..., 0], all_coded[..., 0])
    print_certainty(results, np.mean([image.size / 3 for image in images]))
    print_products()


if __name__ == "__main__":
    app.run(main)
