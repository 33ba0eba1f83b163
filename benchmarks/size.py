"""Counts the parameters of a codec, and the multiplications per pixel of its parts.

    python benchmarks/size.py [--codec=fdram] [--sizes=JSON]

It counts convolutions and matrix products as they run; a multiplication with its
addition is one MAC.
"""

import json
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # No start-up noise.

from typing import Callable

import tensorflow as tf
from absl import app, flags
from tensorflow.python.framework import op_callbacks

from tf_imgcomp.codecs.registry import new_codec

_CODEC = flags.DEFINE_string("codec", "fdram", "Name of the codec.")
_SIZES = flags.DEFINE_string("sizes", "{}", "Sizes that differ from the codec's, JSON.")

SIDE = 512  # Of the test image, in pixels.


def kmac_per_pixel(function: Callable, *arguments) -> float:
    """Thousands of MACs of a function, for each pixel of the image."""
    count = 0

    def add(op_type, inputs, attrs, outputs, op_name=None, graph=None):
        nonlocal count
        if op_type in ("Conv2D", "MatMul", "BatchMatMulV2"):
            # Products for each element of the result.
            terms = inputs[1].shape.num_elements() / outputs[0].shape[-1]
            if op_type == "BatchMatMulV2":
                terms = inputs[0].shape[-1]
            count += terms * outputs[0].shape.num_elements()

    op_callbacks.add_op_callback(add)
    try:
        function(*arguments)
    finally:
        op_callbacks.remove_op_callback(add)
    return count / SIDE**2 / 1e3


def main(argv: list[str]) -> None:
    codec = new_codec(_CODEC.value, json.loads(_SIZES.value))
    coder = codec.latent_coder
    images = tf.zeros((1, SIDE, SIDE, 3), tf.uint8)
    quality, side = tf.constant([50.0]), SIDE // 16
    y = tf.zeros((1, side, side, coder.config.latent_depth))
    gain, rate = y[:, 0, 0], codec.rate_features(quality)
    parts = {
        "analysis": kmac_per_pixel(codec.analysis, images, quality),
        "synthesis": kmac_per_pixel(codec.synthesis, y, quality),
        "latent coder": kmac_per_pixel(coder, y, gain, rate),
    }
    print("| part | kMAC/pixel |\n|---|---|")
    for name, value in {**parts, "in all": sum(parts.values())}.items():
        print(f"| {name} | {value:.1f} |")
    count = sum(v.shape.num_elements() for v in codec.trainable_variables)
    print(f"\n{count / 1e6:.2f} million parameters")


if __name__ == "__main__":
    app.run(main)
