"""Compares weights of codecs on the photos that training holds out, by estimated bits.

    python benchmarks/held_out.py --weights=runs/a/final.npz --output=a.json PHOTOS
    python benchmarks/held_out.py --weights=runs/b/final.npz --against=a.json PHOTOS

Choices between weights, sizes and optimizers are made here, so that evaluation images
stay unseen. Prints mean bits per pixel, PSNR and MS-SSIM at seven qualities over the
centres of the photos, the lowest PSNR of one photo, and the BD-rates by both against
another run of this program.
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
from tf_imgcomp.losses.similarity import ms_ssim
from tf_imgcomp.metrics import ms_ssim_db
from tf_imgcomp.runs.keras_models import start_from_mean

_CODEC = flags.DEFINE_string("codec", "fdram", "Name of the codec.")
_SIZES = flags.DEFINE_string("sizes", "{}", "Sizes that differ from the codec's, JSON.")
_WEIGHTS = flags.DEFINE_list(
    "weights", [], "Of the codec, as --init of bin/train; none: untrained."
)
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
    """Mean bits per pixel, PSNR and MS-SSIM in dB at each quality, and lowest PSNR."""

    @tf.function
    def code(images, quality):
        output = codec(images, tf.fill([BATCH], quality), corrected=True)
        bpp = (output.y_bits + output.z_bits) / SIDE**2
        x_hat = tf.round(tf.clip_by_value(output.x_hat, 0, 255))
        x = tf.cast(images, tf.float32)
        return bpp, tf.image.psnr(x, x_hat, 255), ms_ssim(x, x_hat)

    curves = {"bpp": [], "psnr": [], "ms_ssim": [], "lowest": []}
    for quality in QUALITIES:
        batches = [
            code(photos[start : start + BATCH], tf.constant(quality))
            for start in range(0, len(photos), BATCH)
        ]
        bpp, psnr, similarity = (np.concatenate(each) for each in zip(*batches))
        curves["bpp"].append(float(bpp.mean()))
        curves["psnr"].append(float(psnr.mean()))
        curves["ms_ssim"].append(ms_ssim_db(similarity.mean()))
        curves["lowest"].append(float(psnr.min()))
    return curves


def main(argv: list[str]) -> None:
    folder = PhotoFolder(argv[1], _CACHE.value, is_held_out)
    large = [i for i in range(len(folder)) if min(folder[i].shape[:2]) >= SIDE]
    photos = [centre(folder[i]) for i in large[: len(large) // BATCH * BATCH]]
    codec = new_codec(_CODEC.value, json.loads(_SIZES.value))
    if _WEIGHTS.value:
        start_from_mean(list(map(Path, _WEIGHTS.value)), codec)
    curves = measure(codec, np.stack(photos))
    for quality, bpp, psnr, similarity, lowest in zip(QUALITIES, *curves.values()):
        print(
            f"quality {quality:g}: {bpp:.4f} bpp, {psnr:.2f} dB (lowest {lowest:.2f}), "
            f"MS-SSIM {similarity:.2f} dB"
        )
    if _OUTPUT.value:
        Path(_OUTPUT.value).write_text(json.dumps(curves))
    if _AGAINST.value:
        other = json.loads(Path(_AGAINST.value).read_text())
        rates = {
            name: bd_rate(*(curve(each["bpp"], each[name]) for each in (other, curves)))
            for name in ("psnr", "ms_ssim")
        }
        print(
            f"BD-rate {rates['psnr']:+.2f} %, by MS-SSIM {rates['ms_ssim']:+.2f} %, "
            f"{len(photos)} photos"
        )


if __name__ == "__main__":
    app.run(main)
