"""Compares weights of codecs on the photos that training holds out, by estimated bits.

    python benchmarks/held_out.py --weights=runs/a/final.npz --output=a.json PHOTOS
    python benchmarks/held_out.py --weights=runs/b/final.npz --against=a.json PHOTOS

Choices between weights, sizes and optimizers are made here, so that evaluation images
stay unseen. Prints mean bits per pixel and PSNR at seven qualities over the centres of
the photos, and the BD-rate against another run of this program.
"""

import json
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # No start-up noise.

import numpy as np
import tensorflow as tf
from absl import app, flags

from tf_imgcomp.codecs.registry import new_codec
from tf_imgcomp.data.photos import PhotoFolder, is_held_out
from tf_imgcomp.evaluation.curves import bd_rate, curve
from tf_imgcomp.training.weights import load_weights

_CODEC = flags.DEFINE_string("codec", "fdram", "Name of the codec.")
_SIZES = flags.DEFINE_string("sizes", "{}", "Sizes that differ from the codec's, JSON.")
_WEIGHTS = flags.DEFINE_string("weights", None, "Of the codec; none: untrained.")
_AGAINST = flags.DEFINE_string("against", None, "What --output wrote before.")
_OUTPUT = flags.DEFINE_string("output", None, "JSON file for the curve.")
_CACHE = flags.DEFINE_string("cache", ".cache/photos", "As of bin/train.")

SIDE = 320
BATCH = 4
QUALITIES = (1.0, 15.0, 30.0, 45.0, 60.0, 75.0, 90.0)


def centre(photo: np.ndarray) -> np.ndarray:
    """The square of `SIDE` pixels in the middle."""
    top, left = ((size - SIDE) // 2 for size in photo.shape[:2])
    return photo[top : top + SIDE, left : left + SIDE]


def measure(codec, photos: np.ndarray) -> dict:
    """Mean bits per pixel and PSNR in dB at each quality."""

    @tf.function
    def code(images, quality):
        output = codec(images, tf.fill([BATCH], quality), corrected=True)
        bpp = (output.y_bits + output.z_bits) / SIDE**2
        x_hat = tf.round(tf.clip_by_value(output.x_hat, 0, 255))
        return bpp, tf.image.psnr(tf.cast(images, tf.float32), x_hat, 255)

    means = {"bpp": [], "psnr": []}
    for quality in QUALITIES:
        batches = [
            code(photos[start : start + BATCH], tf.constant(quality))
            for start in range(0, len(photos), BATCH)
        ]
        for name, values in zip(means, zip(*batches)):
            means[name].append(float(tf.reduce_mean(tf.concat(values, 0))))
    return means


def main(argv: list[str]) -> None:
    folder = PhotoFolder(argv[1], _CACHE.value, is_held_out)
    large = [i for i in range(len(folder)) if min(folder[i].shape[:2]) >= SIDE]
    photos = [centre(folder[i]) for i in large[: len(large) // BATCH * BATCH]]
    codec = new_codec(_CODEC.value, json.loads(_SIZES.value))
    if _WEIGHTS.value:
        load_weights(codec, _WEIGHTS.value)
    means = measure(codec, np.stack(photos))
    for quality, bpp, psnr in zip(QUALITIES, means["bpp"], means["psnr"]):
        print(f"quality {quality:g}: {bpp:.4f} bpp, {psnr:.2f} dB")
    if _OUTPUT.value:
        Path(_OUTPUT.value).write_text(json.dumps(means))
    if _AGAINST.value:
        other = json.loads(Path(_AGAINST.value).read_text())
        rate = bd_rate(curve(**_named(other)), curve(**_named(means)))
        print(f"BD-rate {rate:+.2f} %, {len(photos)} photos")


def _named(means: dict) -> dict:
    return {"rates": means["bpp"], "qualities": means["psnr"]}


if __name__ == "__main__":
    app.run(main)
