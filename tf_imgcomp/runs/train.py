"""Trains a model from a folder of photos to weights and a SavedModel.

photos ──► crops ──► training steps ──► averaged weights ──► SavedModel
                          │ checkpoints, logs, validations
                          ▼
                       workdir
"""

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Optional

import tensorflow as tf

from tf_imgcomp.data.pairs import check_pairs
from tf_imgcomp.data.patches import PAIRS, Sampling, batches
from tf_imgcomp.data.photos import PhotoFolder, is_held_out
from tf_imgcomp.errors import ImageError
from tf_imgcomp.layers.precision import computing_in
from tf_imgcomp.runs.config import DataConfig, ObjectiveConfig, TrainedModelConfig
from tf_imgcomp.runs.keras_models import export_trained, start_from_mean
from tf_imgcomp.runs.kinds import KINDS
from tf_imgcomp.runs.record import check_settings
from tf_imgcomp.training.optimization import optimizer_settings
from tf_imgcomp.training.precision import fastest_precision
from tf_imgcomp.training.step import Trainable
from tf_imgcomp.training.trainer import Trainer, TrainerConfig, has_checkpoint
from tf_imgcomp.training.weights import round_as_saved, save_weights


def new_trainable(
    model: TrainedModelConfig, objective: ObjectiveConfig, seed: int
) -> Trainable:
    """A model with its initial weights, ready to be trained here or elsewhere.

    Args:
        model: what to make. The precision "auto" counts as float32, since the machine
            that will train it is not known here.
        objective: what it is trained for.
        seed: of the initial weights. It becomes the process's, too.

    Raises:
        ModelError: If the model, its sizes, the loss or the weights do not exist or
            do not fit.
    """
    kind = KINDS[model.kind]
    tf.keras.utils.set_random_seed(seed)
    mixed = model.precision == "bfloat16"
    with computing_in("mixed_bfloat16" if mixed else "float32"):
        keras_model = kind.new(model.name, model.sizes)
    round_as_saved(keras_model)  # A compressed export is then half as large.
    if model.init:
        start_from_mean(model.init, keras_model, model.init_pattern)
    return Trainable(
        keras_model,
        kind.objective(keras_model, objective),
        model.train_pattern,
        kind.sampling,
    )


def train(
    data: DataConfig,
    workdir: Path,
    config: TrainerConfig,
    model: Optional[TrainedModelConfig] = None,
    objective: Optional[ObjectiveConfig] = None,
    *,
    export: Optional[Path] = None,
    card: Optional[dict] = None,
    report: Callable[[str], None] = print,
    progress: Callable = iter,
) -> tf.keras.Model:
    """Trains a model; called again with the same folder, it goes on.

    A run that goes on may have other `steps`, `learning_rate`, `precision`,
    `validate_every` and `validation_photos` than its record, and no other difference.

    Writes to `workdir`: `run.json`, the settings; checkpoints and logs; `best.npz` and
    `best.json`, the best validated weights and their figures; at the end `final.npz`,
    the averaged weights.

    Args:
        data: the photos.
        workdir: folder of the run.
        config: length of the run, learning rate, seed.
        model: what to train; fdram if left out.
        objective: what it is trained for; rate and squared errors if left out.
        export: folder for the SavedModel at the end; its name is the model's id. None
            for no SavedModel.
        card: what else its card shall say, such as flags.
        report: takes the lines of progress.
        progress: wraps the photos while they are decoded, such as `tqdm.tqdm`.

    Returns:
        The model with its averaged weights.

    Raises:
        ImgcompError: If there are no photos, the configs do not fit together, or they
            are not those that the run started with.
    """
    model, objective = model or TrainedModelConfig(), objective or ObjectiveConfig()
    model = _with_precision(model, report)
    kind = KINDS[model.kind]
    photos, held_out = open_photos(data, kind.sampling, report, progress)
    strategy = tf.distribute.get_strategy()
    several_gpus = len(tf.config.list_physical_devices("GPU")) > 1
    if several_gpus:
        strategy = tf.distribute.MirroredStrategy()
    with strategy.scope():
        trainable = new_trainable(model, objective, config.seed)
    recorded = {
        "photos_sha256": photos.listing_hash,
        "one_held_out_in": data.one_held_out_in,
        "validation_photos": data.validation_photos,
        **settings(model, objective, config, data.batch, data.crop),
        "optimizer": optimizer_settings(config.optimization),
    }
    sizes = trainable.model.get_config()["config"]
    of_model = {"kind": model.kind, "name": model.name, "sizes": sizes}
    resumes = has_checkpoint(workdir)
    check_settings(workdir, {**of_model, **recorded}, resumes, report)
    validate = None
    if held_out:
        validate = kind.validation(trainable.model, held_out, objective)
    trainer = Trainer(trainable, workdir, config, validate, strategy)
    dataset = batches(
        photos,
        int(trainer.step),
        config.optimization.steps,
        data.batch,
        data.crop,
        config.seed,
        kind.sampling,
    )
    if several_gpus:
        dataset = strategy.experimental_distribute_dataset(dataset)
    trainer.run(dataset, report)
    trainer.use_average()
    save_weights(trainable.model, Path(workdir) / "final.npz")
    if export:
        report(f"exporting to {export}")
        figures = validate() if validate else {}
        figures.pop("reconstruction", None)
        whole_card = {
            **(card or {}),
            "settings": recorded,
            "steps": int(trainer.step),
            "data": data.note,
            "validation": figures,
        }
        export_trained(trainable.model, Path(export), whole_card)
    return trainable.model


def _with_precision(model: TrainedModelConfig, report: Callable) -> TrainedModelConfig:
    """The same config; in place of "auto" the fastest precision, with a report."""
    if model.precision != "auto":
        return model
    precision, reason = fastest_precision()
    report(f"precision {precision}: {reason}")
    return replace(model, precision=precision)


def settings(
    model: TrainedModelConfig,
    objective: ObjectiveConfig,
    config: TrainerConfig,
    batch: int,
    crop: int,
) -> dict:
    """What decides the weights of a run beside photos and sizes, for its records.

    Args:
        model: what is trained.
        objective: what it is trained for.
        config: length of the run, learning rate, seed.
        batch: crops in a step.
        crop: their side, in pixels.
    """
    return {
        "precision": model.precision,
        "train_pattern": model.train_pattern,
        "objective": asdict(objective),
        "sampling": asdict(KINDS[model.kind].sampling),
        "batch": batch,
        "crop": crop,
        "seed": config.seed,
        "quality": config.quality,
        "validate_every": config.validate_every,
        "optimization": asdict(config.optimization),
    }


def open_photos(
    data: DataConfig, sampling: Sampling, report: Callable, progress: Callable
) -> tuple:
    """Opens the photos of a run, and reports how many there are.

    Args:
        data: where they are, and how many are held out.
        sampling: what an image of the folder is.
        report: takes lines for the user.
        progress: wraps the photos while they are decoded.

    Returns:
        `PhotoFolder` of the photos to train on, and a list of photos held out.

    Raises:
        ImageError: If there are no photos to train on.
    """

    def held(name: str) -> bool:
        return is_held_out(name, data.one_held_out_in)

    source, limit = (data.folder, data.cache), data.max_pixels
    photos = PhotoFolder(
        *source, lambda name: not held(name), progress, max_pixels=limit
    )
    try:
        held_out = PhotoFolder(*source, held, max_pixels=limit)
    except ImageError:  # Few photos: none is to spare.
        held_out = []
    if sampling == PAIRS:
        check_pairs(photos)
    small = photos.smaller_than(data.crop, sampling.pictures)
    unreadable = photos.unreadable + getattr(held_out, "unreadable", [])
    report(
        f"{len(photos)} photos ({small} smaller than a crop, padded), "
        f"{len(unreadable)} unreadable, {len(held_out)} for validation"
    )
    if unreadable:
        report(f"not readable, left out: {', '.join(unreadable)}")
    count = min(data.validation_photos, len(held_out))
    if count < data.validation_photos:
        report(
            f"validation on {count} photos instead of {data.validation_photos}: no "
            f"more are held out (one in {data.one_held_out_in}, by name)"
        )
    return photos, [held_out[i] for i in range(count)]
