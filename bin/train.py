#!/usr/bin/env -S python3 -I
"""Trains a codec, or a post-filter, and exports it.

    bin/train --flagfile=bin/flags/fdram.flags --data=PHOTOS --workdir=runs/fdram
    bin/train --flagfile=bin/flags/xue2019_bpg.flags --data=PAIRS --workdir=runs/bpg

PHOTOS is a folder of images of any size and format, PAIRS what bin/make_pairs wrote.
Killed and started again, the run goes on where its last checkpoint was. At the end, the
averaged weights are written to `WORKDIR/final.npz` (and the best validated ones to
`best.npz`, their figures to `best.json`), and, with --export, a SavedModel with its
card. TensorBoard reads WORKDIR/logs; --plot_every draws losses and validations.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # No start-up noise.

from collections.abc import Sequence
from pathlib import Path

from absl import app, flags

from tf_imgcomp_bin import command_line, objective_flags, training_flags

PROGRAM = "train"

flags.adopt_module_key_flags(training_flags)
flags.adopt_module_key_flags(objective_flags)
_DATA = flags.DEFINE_string("data", None, "Folder of photos.", required=True)
_CACHE = flags.DEFINE_string(
    "cache", ".cache/photos", "Folder for the decoded photos, about 3 bytes a pixel."
)
_WORKDIR = flags.DEFINE_string(
    "workdir", None, "Folder of the run: checkpoints, logs, weights.", required=True
)
_EXPORT = flags.DEFINE_string("export", None, "Folder for the SavedModel at the end.")
_DATA_NOTE = flags.DEFINE_string("data_note", "", "Source and licence, for the card.")
_VALIDATION_PHOTOS = flags.DEFINE_integer("validation_photos", 16, "How many.")


def main(argv: Sequence[str]) -> int:
    if len(argv) > 1:
        raise app.UsageError(f"Expected flags only, received {argv[1:]}.")
    return command_line.guard(PROGRAM, train)


def train() -> int:
    import tensorflow as tf

    from tf_imgcomp.data.patches import batches
    from tf_imgcomp.training.trainer import Trainer
    from tf_imgcomp.training.weights import save_weights
    from tf_imgcomp_bin.products import PRODUCTS, kind

    card = training_flags.card()
    product = PRODUCTS[kind(card)]
    photos, held_out = open_photos(product.sampling)
    several_gpus = len(tf.config.list_physical_devices("GPU")) > 1
    strategy = tf.distribute.get_strategy()
    if several_gpus:
        strategy = tf.distribute.MirroredStrategy()
    with strategy.scope():
        trainable = training_flags.make_trainable()
    workdir, config = Path(_WORKDIR.value), training_flags.trainer_config()
    validate = None
    if held_out:
        cost = objective_flags.image_cost()
        validate = product.validation(trainable.model, held_out, cost)
    trainer = Trainer(trainable, workdir, config, validate, strategy)
    dataset = batches(
        photos,
        int(trainer.step),
        config.optimization.steps,
        training_flags.BATCH.value,
        training_flags.CROP.value,
        config.seed,
        product.sampling,
    )
    if several_gpus:
        dataset = strategy.experimental_distribute_dataset(dataset)
    trainer.run(dataset, lambda line: print(line, flush=True))
    trainer.use_average()
    save_weights(trainable.model, workdir / "final.npz")
    if _EXPORT.value:
        figures = validate() if validate else {}
        figures.pop("reconstruction", None)
        card = {
            **card,
            "steps": int(trainer.step),
            "data": _DATA_NOTE.value,
            "validation": figures,
        }
        product.export(trainable.model, Path(_EXPORT.value), card)
    return 0


def open_photos(sampling) -> tuple:
    """The folder of photos to train on, and a list of photos held out."""
    from tqdm import tqdm

    from tf_imgcomp.data.pairs import check_pairs
    from tf_imgcomp.data.patches import PAIRS
    from tf_imgcomp.data.photos import PhotoFolder, is_held_out
    from tf_imgcomp.errors import ImageError

    photos = PhotoFolder(_DATA.value, _CACHE.value, lambda n: not is_held_out(n), tqdm)
    try:
        held_out = PhotoFolder(_DATA.value, _CACHE.value, is_held_out)
    except ImageError:  # Few photos: none is to spare.
        held_out = []
    if sampling == PAIRS:
        check_pairs(photos)
    small = photos.smaller_than(training_flags.CROP.value, sampling.pictures)
    print(
        f"{len(photos)} photos ({small} smaller than a crop, padded), "
        f"{len(photos.unreadable)} unreadable, {len(held_out)} for validation"
    )
    count = min(_VALIDATION_PHOTOS.value, len(held_out))
    return photos, [held_out[i] for i in range(count)]


def run() -> None:
    command_line.run(PROGRAM, main)


if __name__ == "__main__":
    run()
