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
_TRAINABLE = flags.DEFINE_string(
    "trainable", "", "Regular expression: only variables whose path it matches train."
)
_GRADIENTS = flags.DEFINE_enum(
    "rate_gradients",
    "noise",
    ["noise", "straight_through"],
    "How the rate of integers reaches the latents: through noise in place of rounding, "
    "or as if rounding were not there.",
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

    from tf_imgcomp.data.patches import batches
    from tf_imgcomp.export.saved_model import CodecModule
    from tf_imgcomp.training.step import codec_objective
    from tf_imgcomp.training.trainer import Trainer
    from tf_imgcomp.training.validation import RealBits
    from tf_imgcomp.training.weights import save_weights

    photos, held_out = open_photos()
    tf.keras.utils.set_random_seed(_SEED.value)
    if _MIXED.value:
        tf.keras.mixed_precision.set_global_policy("mixed_bfloat16")
    several_gpus = len(tf.config.list_physical_devices("GPU")) > 1
    strategy = (tf.distribute.MirroredStrategy if several_gpus else _no_strategy)()
    with strategy.scope():
        codec = build_codec()
    validate = RealBits(codec, held_out, CodecModule)
    workdir = Path(_WORKDIR.value)
    objective = codec_objective(codec, noise=_GRADIENTS.value == "noise")
    trainer = Trainer(codec, objective, workdir, trainer_config(), validate, strategy)
    dataset = batches(
        photos,
        int(trainer.step),
        _STEPS.value,
        _BATCH_SIZE.value,
        _CROP.value,
        _SEED.value,
    )
    if several_gpus:
        dataset = strategy.experimental_distribute_dataset(dataset)
    trainer.run(dataset, lambda line: print(line, flush=True))
    trainer.use_average()
    save_weights(codec, workdir / "final.npz")
    if _EXPORT.value:
        export_codec(codec, int(trainer.step), validate())


def _no_strategy():
    import tensorflow as tf

    return tf.distribute.get_strategy()


def open_photos() -> tuple:
    """The folder of photos to train on, and a list of photos held out."""
    from tqdm import tqdm

    from tf_imgcomp.data.photos import PhotoFolder

    photos = PhotoFolder(_DATA.value, _CACHE.value, lambda n: not is_held_out(n), tqdm)
    held_out = PhotoFolder(_DATA.value, _CACHE.value, is_held_out)
    small = photos.smaller_than(_CROP.value)
    print(
        f"{len(photos)} photos ({small} smaller than a crop, padded), "
        f"{len(photos.unreadable)} unreadable, {len(held_out)} for validation"
    )
    count = min(_VALIDATION_PHOTOS.value, len(held_out))
    return photos, [held_out[i] for i in range(count)]


def build_codec():
    """The codec to train, with its initial weights."""
    import tensorflow as tf

    from tf_imgcomp.codecs.registry import CODECS
    from tf_imgcomp.training.weights import load_weights

    codec_class, config_class = CODECS[_CODEC.value]
    codec = codec_class(config_class.from_dict(json.loads(_SIZES.value)))
    codec(tf.zeros((1, 64, 64, 3)), tf.constant([50.0]))
    if _INIT.value:
        load_weights(codec, _INIT.value)
    return codec


def trainer_config():
    from tf_imgcomp.training.optimization import OptimizationConfig
    from tf_imgcomp.training.trainer import TrainerConfig

    optimization = OptimizationConfig(
        steps=_STEPS.value,
        learning_rate=_LEARNING_RATE.value,
        warmup_steps=_WARMUP.value,
        clip_norm=_CLIP.value,
        average_decay=_AVERAGE.value,
    )
    return TrainerConfig(
        optimization,
        seed=_SEED.value,
        log_every=_LOG.value,
        validate_every=_VALIDATE.value,
        quality=_QUALITY.value,
        trainable=_TRAINABLE.value,
    )


def export_codec(codec, steps: int, figures: dict) -> None:
    """Writes the SavedModel and its card."""
    from tf_imgcomp.export.saved_model import export

    figures.pop("reconstruction")
    flagfile = flags.FLAGS.flags_into_string().splitlines()
    card = {
        "codec": _CODEC.value,
        "flags": [line for line in flagfile if _is_ours(line)],
        "steps": steps,
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
