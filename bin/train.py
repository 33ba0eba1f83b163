#!/usr/bin/env -S python3 -I
"""Trains a codec and exports it.

    bin/train --flagfile=bin/flags/fdram.flags --data=PHOTOS --workdir=runs/fdram

PHOTOS is a folder of images of any size and format. Killed and started again, the run
goes on where its last checkpoint was. At the end, the averaged weights are written to
`WORKDIR/final.npz` (and the best validated ones to `best.npz`), and, with --export, a
SavedModel with its card. TensorBoard reads WORKDIR/logs.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # No start-up noise.

import json
import sys
import zlib
from pathlib import Path

from absl import app, flags

_CODEC = flags.DEFINE_string("codec", "fdram", "Name of the codec.")
_SIZES = flags.DEFINE_string("sizes", "{}", "Sizes that differ from the codec's, JSON.")
_DATA = flags.DEFINE_string("data", None, "Folder of photos.", required=True)
_CACHE = flags.DEFINE_string(
    "cache", ".cache/photos", "Folder for the decoded photos, about 3 bytes a pixel."
)
_WORKDIR = flags.DEFINE_string(
    "workdir", None, "Folder of the run: checkpoints, logs, weights.", required=True
)
_INIT = flags.DEFINE_string("init", None, "Weights to start from, as training wrote.")
_EXPORT = flags.DEFINE_string("export", None, "Folder for the SavedModel at the end.")
_DATA_NOTE = flags.DEFINE_string("data_note", "", "Source and licence, for the card.")
_STEPS = flags.DEFINE_integer("steps", 10000, "Length of the run.", lower_bound=1)
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 8, "Crops a step.", lower_bound=1)
_CROP = flags.DEFINE_integer("crop", 128, "Side of a crop, a multiple of 64.")
_LEARNING_RATE = flags.DEFINE_float("learning_rate", 1e-3, "Peak of the schedule.")
_WARMUP = flags.DEFINE_integer("warmup_steps", 200, "Linear rise of the learning rate.")
_CLIP = flags.DEFINE_float("clip_norm", 1.0, "Largest global gradient norm.")
_AVERAGE = flags.DEFINE_float("average_decay", 0.999, "Of the weight average.")
_SEED = flags.DEFINE_integer("seed", 1, "Of crops, noise and initial weights.")
_QUALITY = flags.DEFINE_float("quality", None, "Train for this quality alone.", 1, 100)
_QUANTIZATION = flags.DEFINE_enum(
    "quantization",
    "noise",
    ["noise", "straight_through"],
    "What stands in for rounding in the rate; noise first, the other to finish.",
)
_MIXED = flags.DEFINE_bool("mixed_precision", False, "bfloat16 in the transforms.")
_VALIDATE = flags.DEFINE_integer("validate_every", 2000, "Steps between validations.")
_VALIDATION_PHOTOS = flags.DEFINE_integer("validation_photos", 16, "How many.")
_LOG = flags.DEFINE_integer("log_every", 100, "Steps between lines of the log.")

flags.register_validator(
    "crop", lambda side: side % 64 == 0, "Expected a multiple of 64."
)


def is_held_out(name: str) -> bool:
    """One photo in fifty, by the photo's name: tiles of one photo stay together."""
    return zlib.crc32("_".join(name.split("_")[:2]).encode()) % 50 == 0


def main(argv):
    if len(argv) > 1:
        raise app.UsageError(f"Expected flags only, received {argv[1:]}.")
    import tensorflow as tf
    from tqdm import tqdm

    from tf_imgcomp.codecs.registry import CODECS
    from tf_imgcomp.data.patches import batches
    from tf_imgcomp.data.photos import PhotoFolder
    from tf_imgcomp.export.saved_model import CodecModule, export
    from tf_imgcomp.training.optimization import OptimizationConfig
    from tf_imgcomp.training.step import codec_objective
    from tf_imgcomp.training.trainer import Trainer, TrainerConfig
    from tf_imgcomp.training.validation import RealBits
    from tf_imgcomp.training.weights import load_weights, save_weights

    photos = PhotoFolder(_DATA.value, _CACHE.value, lambda n: not is_held_out(n), tqdm)
    held_out = PhotoFolder(_DATA.value, _CACHE.value, is_held_out)
    small = photos.smaller_than(_CROP.value)
    print(
        f"{len(photos)} photos ({small} smaller than a crop, padded), "
        f"{len(photos.unreadable)} unreadable, {len(held_out)} for validation"
    )
    tf.keras.utils.set_random_seed(_SEED.value)
    if _MIXED.value:
        tf.keras.mixed_precision.set_global_policy("mixed_bfloat16")
    gpus = tf.config.list_physical_devices("GPU")
    strategy = tf.distribute.get_strategy()
    if len(gpus) > 1:
        strategy = tf.distribute.MirroredStrategy()
    codec_class, config_class = CODECS[_CODEC.value]
    with strategy.scope():
        codec = codec_class(config_class.from_dict(json.loads(_SIZES.value)))
        codec(tf.zeros((1, 64, 64, 3)), tf.constant([50.0]))
    if _INIT.value:
        load_weights(codec, _INIT.value)
    count = min(_VALIDATION_PHOTOS.value, len(held_out))
    validate = RealBits(codec, [held_out[i] for i in range(count)], CodecModule)
    optimization = OptimizationConfig(
        steps=_STEPS.value,
        learning_rate=_LEARNING_RATE.value,
        warmup_steps=_WARMUP.value,
        clip_norm=_CLIP.value,
        average_decay=_AVERAGE.value,
    )
    config = TrainerConfig(
        optimization,
        seed=_SEED.value,
        log_every=_LOG.value,
        validate_every=_VALIDATE.value,
        quality=_QUALITY.value,
    )
    workdir = Path(_WORKDIR.value)
    trainer = Trainer(
        codec,
        codec_objective(codec, noise=_QUANTIZATION.value == "noise"),
        workdir,
        config,
        validate,
        strategy,
    )
    dataset = batches(
        photos,
        int(trainer.step),
        _STEPS.value,
        _BATCH_SIZE.value,
        _CROP.value,
        _SEED.value,
    )
    trainer.run(
        strategy.experimental_distribute_dataset(dataset) if len(gpus) > 1 else dataset,
        lambda line: print(line, flush=True),
    )
    trainer.use_average()
    save_weights(codec, workdir / "final.npz")
    if _EXPORT.value:
        figures = validate()
        figures.pop("reconstruction")
        flagfile = flags.FLAGS.flags_into_string().splitlines()
        card = {
            "codec": _CODEC.value,
            "flags": [line for line in flagfile if _is_ours(line)],
            "steps": int(trainer.step),
            "data": _DATA_NOTE.value,
            "validation": figures,
        }
        export(codec, Path(_EXPORT.value), card)


def _is_ours(line: str) -> bool:
    """Whether a flag says how the weights came to be, and not where files lie."""
    name = line.lstrip("-").removeprefix("no").split("=")[0]
    ours = flags.FLAGS.flags_by_module_dict().get(__name__, [])
    return name in {flag.name for flag in ours} - {
        "data",
        "cache",
        "workdir",
        "export",
        "init",
        "data_note",
    }


def run():
    sys.modules["__main__"].__doc__ = __doc__  # For --help of the installed program.
    app.run(main)


if __name__ == "__main__":
    run()
