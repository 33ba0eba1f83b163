"""Measures the time and the bytes that the raster context of cheng2020 costs.

    python benchmarks/context.py [--sizes=JSON] [--weights=WEIGHTS] [PHOTO]

For a photo at one quality prints

- the time of decoding its symbols by wavefronts and position by position, and with the
  checkerboard context on the same model, beside that of the synthesis transform;
- the bytes of the strings of a file, and of one string for each wavefront,
  beside the float model's estimate for the coded integers.

Without weights the codec is untrained, and only the times are meaningful.
`--sizes='{"num_filters": 128}'` gives the paper's sizes.
"""

import json
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # No start-up noise.

from pathlib import Path
from unittest import mock

import measure
import numpy as np
import tensorflow as tf
from absl import app, flags
from estimation import WHOLE, byte_count, code_parts, estimated_bits

from tf_imgcomp import metrics
from tf_imgcomp.codecs.base import Codec
from tf_imgcomp.codecs.registry import new_codec
from tf_imgcomp.entropy_coding import (
    range_coder,
    symbol_coding,
    symbol_streams,
    wavefronts,
)
from tf_imgcomp.export.codec import CodecModule
from tf_imgcomp.image_files.images import read_image
from tf_imgcomp.runs.keras_models import start_from

_SIZES = flags.DEFINE_string("sizes", "{}", "Sizes that differ from size S, JSON.")
_WEIGHTS = flags.DEFINE_string("weights", None, "Weights of the raster codec.")
_QUALITY = flags.DEFINE_float("quality", 40, "Quality to measure at.")
_RUNS = flags.DEFINE_integer("runs", 5, "Runs of each function.")


def make(context: str) -> Codec:
    """cheng2020 with the sizes of the flags and a context."""
    sizes = json.loads(_SIZES.value)
    sizes["coder"] = {**sizes.get("coder", {}), "context": context}
    return new_codec("cheng2020", sizes)


def position_by_position(height: tf.Tensor, width: tf.Tensor) -> tuple:
    """Stands in for `raster.wavefronts`: each position is a wavefront."""
    count = height * width
    return tf.range(count), tf.ones([count], tf.int32)


def decoder(module: CodecModule, pixels: np.ndarray, quality: tf.Tensor):
    """A function that decodes the symbols of an image, traced."""
    hundredths = tf.cast(quality * 100, tf.int64)
    latents = module.analysis(pixels, WHOLE, hundredths)
    z = latents["z"]
    encoded = tf.function(module.coder.encode)(latents["y"], z, hundredths)
    strings = symbol_streams.TileStrings(encoded.first)

    @tf.function
    def decode():  # There is one slice.
        return module.coder.decode_first(strings, *z.shape[1:3], hundredths[None])[1]

    assert decode().valid_string_count
    return decode


def print_times(pixels: np.ndarray, quality: tf.Tensor) -> None:
    module = CodecModule(make("raster"))
    with mock.patch.object(wavefronts.raster, "wavefronts", position_by_position):
        slow = decoder(module, pixels, quality)
    fast = decoder(module, pixels, quality)
    y_hat = fast().y_hat
    seconds = measure.median_seconds(
        {
            "raster, position by position": slow,
            "raster, by wavefronts": fast,
            "checkerboard": decoder(CodecModule(make("checkerboard")), pixels, quality),
            "synthesis": lambda: module.synthesis(
                y_hat, WHOLE, tf.cast(quality * 100, tf.int64)
            ),
        },
        _RUNS.value,
    )
    print("| | ms | of synthesis |\n|---|---|---|")
    for name, value in seconds.items():
        print(f"| {name} | {1e3 * value:.0f} | {value / seconds['synthesis']:.2f} |")


def string_for_each_wavefront(coder, y_hat, z_hat, hundredths) -> tf.Tensor:
    """Bytes of the latents with a string for each wavefront, and of the lengths."""
    rows = coder.tables.read()

    def code(total, parameters, y):
        log, decoded = symbol_coding.encode(
            rows, symbol_streams.new_log(), parameters, y, coder.config.bits_per_error
        )
        string = symbol_streams.write(
            log, rows.table, range_coder, rows.symbols_per_integer
        )
        length = tf.reduce_sum(tf.strings.length(string))
        return total + length + tf.where(length < 128, 1, 2), decoded

    return code_parts(coder, y_hat, z_hat, hundredths, tf.constant(0), code)


def print_bytes(codec: Codec, pixels: np.ndarray, quality: tf.Tensor) -> None:
    module = CodecModule(codec)
    hundredths = tf.cast(quality * 100, tf.int64)
    latents = module.analysis(pixels, WHOLE, hundredths)
    encoded = tf.function(module.coder.encode)(latents["y"], latents["z"], hundredths)
    z_hat = tf.floor(latents["z"] + 0.5)
    bits = estimated_bits(codec, encoded.y_hat, z_hat, quality)
    z_bytes = float(codec.latent_coder.z_bits(z_hat)[0]) / 8
    wavefront_bytes = tf.function(string_for_each_wavefront)(
        module.coder, encoded.y_hat, z_hat, hundredths
    )
    expected = float(bits) / 8
    sizes = {
        "strings": byte_count(encoded),
        "a string for each wavefront": float(wavefront_bytes) + z_bytes,
    }
    print(f"\nestimated: {metrics.bpp(expected, *pixels.shape[:2]):.3f} bpp")
    print("\n| | bytes | beyond the estimate |\n|---|---|---|")
    for name, size in sizes.items():
        print(f"| {name} | {size:.0f} | {size / expected - 1:+.2%} |")


def main(argv: list[str]) -> None:
    pixels = read_image(argv[1] if len(argv) > 1 else measure.EXAMPLE).pixels
    quality = tf.constant(_QUALITY.value)
    print_times(pixels, quality)
    codec = make("raster")
    if _WEIGHTS.value:
        start_from(Path(_WEIGHTS.value), codec)
        print_bytes(codec, pixels, quality)


if __name__ == "__main__":
    app.run(main)
