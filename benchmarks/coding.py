"""Measures the bits that exact entropy coding costs, and the speed of number formats.

    python benchmarks/coding.py --weights=WEIGHTS [IMAGE...]

WEIGHTS is a file that bin/train wrote. Prints

- for several qualities the bytes that the float model estimates for the coded integers,
  and the excess of the real strings: as they are, and with every element coded, which
  shows the loss of integer networks and tables alone;
- for several values of `certain_bits` the share of latents coded and the BD-rate
  against coding all of them;
- the speed of matrix products in float32, float64 and int32.

Every image takes about half a minute on two cores.
"""

import json
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # No start-up noise.

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import bjontegaard
import measure
import numpy as np
import tensorflow as tf
from absl import app, flags
from estimation import WHOLE, byte_count, code_parts, estimated_bits

from tf_imgcomp import metrics
from tf_imgcomp.codecs.base import Codec
from tf_imgcomp.codecs.registry import new_codec
from tf_imgcomp.entropy_coding import symbol_coding
from tf_imgcomp.export.codec import CodecModule
from tf_imgcomp.image_files.images import read_image
from tf_imgcomp.runs.keras_models import start_from

_WEIGHTS = flags.DEFINE_string("weights", None, "Weights of the codec.", required=True)
_CODEC = flags.DEFINE_string("codec", "fdram", "Name of the codec.")
_SIZES = flags.DEFINE_string("sizes", "{}", "Sizes that differ from the codec's, JSON.")
_OTHERS = flags.DEFINE_list("others", "12,8,7", "Other values of certain_bits.")
_QUALITIES = flags.DEFINE_list("qualities", "5,20,35,50,70,90", "Qualities.")

ALL_CODED = 1e9
PRODUCTS = ((1536, 512, 192), (1536, 192, 1536), (1536, 1152, 512))


class Results(NamedTuple):
    """Results, each float64 `(qualities, images)`.

    Attributes:
        size: bytes of all strings.
        estimated: bytes that the float model estimates for the coded integers.
        psnr: PSNR in dB.
        share: share of the latents that is coded.
    """

    size: np.ndarray
    estimated: np.ndarray
    psnr: np.ndarray
    share: np.ndarray


def load_codec(**switches) -> Codec:
    """The codec with its weights, and with switches of its latent coder."""
    sizes = json.loads(_SIZES.value)
    coder = {**sizes.get("coder", {}), **switches}
    codec = new_codec(_CODEC.value, {**sizes, "coder": coder})
    start_from(Path(_WEIGHTS.value), codec)
    return codec


def code(images: Sequence[np.ndarray], **switches) -> Results:
    """Codes images with switches of the codec's latent coder."""
    codec = load_codec(**switches)
    module = CodecModule(codec)
    encode = tf.function(module.coder.encode, reduce_retracing=True)
    share = tf.function(coded_share, reduce_retracing=True)
    estimate = tf.function(estimated_bits, reduce_retracing=True)

    def code_one(quality, pixels):
        hundredths = tf.cast(tf.round(quality * 100), tf.int64)
        latents = module.analysis(pixels, WHOLE, hundredths)
        encoded = encode(latents["y"], latents["z"], hundredths)
        y_hat, z_hat = encoded.y_hat, tf.floor(latents["z"] + 0.5)
        x_hat = module.synthesis(y_hat, WHOLE, hundredths)["image"].numpy()
        height, width, _ = pixels.shape
        return (
            byte_count(encoded),
            estimate(codec, y_hat, z_hat, quality) / 8,
            metrics.psnr(pixels, x_hat[:height, :width]),
            share(module.coder, y_hat, z_hat, hundredths),
        )

    results = [[code_one(q, pixels) for pixels in images] for q in _qualities()]
    return Results(*np.moveaxis(np.array(results, np.float64), -1, 0))


def coded_share(coder, y_hat, z_hat, hundredths) -> tf.Tensor:
    """The share of latents that is coded, because their value is not certain."""
    rows = coder.tables.read()

    def count(total, parameters, y):
        coded = symbol_coding.plan(rows, parameters)
        return total + tf.size(coded.positions), y

    total = code_parts(coder, y_hat, z_hat, hundredths, tf.constant(0), count)
    return total / tf.size(y_hat)


def _qualities() -> list[tf.Tensor]:
    return [tf.constant(float(quality)) for quality in _QUALITIES.value]


def print_rate_lost(real: Results, all_coded: Results) -> None:
    print("| quality | estimated bytes | real | worst image, bytes | all coded |")
    print("|---|---|---|---|---|")
    for number, quality in enumerate(_QUALITIES.value):
        expected, size = real.estimated[number], real.size[number]
        lost, lost_all = (
            f"{r.size[number].sum() / r.estimated[number].sum() - 1:+.2%}"
            for r in (real, all_coded)
        )
        beyond = np.max(np.abs(size - expected) - 0.01 * expected)
        worst = f"{beyond:+.0f}"
        print(f"| {quality} | {expected.mean():.0f} | {lost} | {worst} | {lost_all} |")


def print_certainty(results: dict[str, Results], pixels: int) -> None:
    """Prints coded shares and BD-rates, with the first of `results` as the anchor."""
    curves = {
        name: (8 * result.size.mean(1) / pixels, result.psnr.mean(1))
        for name, result in results.items()
    }
    reference = next(iter(curves.values()))
    print("\n| certain from | coded, by quality | BD-rate |\n|---|---|---|")
    for name, curve in curves.items():
        shares = " ".join(f"{share:.0%}" for share in results[name].share.mean(1))
        change = bjontegaard.bd_rate(*reference, *curve, method="akima")
        print(f"| {name} | {shares} | {change:+.2f} % |")


def print_products():
    """Prints the speed of matrix products; a multiplication is two operations."""
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
    present = load_codec().config.coder.certain_bits
    results = {"all coded": code(images, certain_bits=ALL_CODED)}
    for certain_bits in (present, *map(float, _OTHERS.value)):
        results[str(certain_bits)] = code(images, certain_bits=certain_bits)
    print_rate_lost(results[str(present)], results["all coded"])
    print_certainty(results, np.mean([image.size / 3 for image in images]))
    print_products()


if __name__ == "__main__":
    app.run(main)
