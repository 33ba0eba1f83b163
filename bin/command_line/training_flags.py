"""Flags of training, here or elsewhere, and the configs they describe."""

from __future__ import annotations

import json
from pathlib import Path

from absl import flags

from tf_imgcomp_bin.command_line import objective_flags

_CODEC = flags.DEFINE_string("codec", "fdram", "Name of the codec.")
_POSTFILTER = flags.DEFINE_string(
    "postfilter", None, "Train this filter, on pairs of bin/make_pairs, and no codec."
)
_SIZES = flags.DEFINE_string("sizes", "{}", "Config fields that are not default, JSON.")
_INIT = flags.DEFINE_list(
    "init",
    [],
    "Weights to start from: a file of a run, or the folder of a model; of several, the "
    "mean.",
)
_INIT_ONLY = flags.DEFINE_string(
    "init_only",
    "",
    "Regular expression on variable paths: only matching variables start from --init. "
    "The weights may then be another codec's.",
)
_STEPS = flags.DEFINE_integer("steps", 10000, "Steps of the run.", lower_bound=1)
BATCH = flags.DEFINE_integer("batch", 8, "Crops in a batch.", lower_bound=1)
CROP = flags.DEFINE_integer("crop", 128, "Side of a crop, a multiple of 64.")
_SCHEDULE = flags.DEFINE_enum(
    "schedule",
    "cosine",
    ["cosine", "plateau"],
    "Learning rate: a cosine to zero, or divided by 10 after 5 validations without "
    "improvement. Training elsewhere always uses the cosine.",
)
_OPTIMIZER = flags.DEFINE_enum(
    "optimizer", "adam", ["adam", "soap"], "SOAP wants a higher learning rate."
)
_LEARNING_RATE = flags.DEFINE_float("learning_rate", 1e-3, "Peak of the schedule.")
_WARMUP = flags.DEFINE_integer("warmup_steps", 200, "Steps of linear warm-up.")
_CLIP = flags.DEFINE_float("clip_norm", 1.0, "Clip gradients to this global norm.")
_BETA_1 = flags.DEFINE_float(
    "beta_1", None, "Decay of the mean gradient; Adam has 0.9, SOAP 0.95."
)
_AVERAGE = flags.DEFINE_float("average_decay", 0.999, "Decay of the weight average.")
_SEED = flags.DEFINE_integer("seed", 1, "Seed of crops, noise and initial weights.")
_QUALITY = flags.DEFINE_float("quality", None, "Train for this quality only.", 1, 100)
_TRAINABLE = flags.DEFINE_string(
    "trainable", "", "Regular expression on variable paths: only matching ones train."
)
_PRECISION = flags.DEFINE_enum(
    "precision",
    "auto",
    ["auto", "float32", "bfloat16"],
    "Precision of the transforms. auto: bfloat16 if this machine multiplies it in "
    "hardware, else float32; training elsewhere: float32.",
)
_VALIDATE = flags.DEFINE_integer("validate_every", 2000, "Steps between validations.")
_PLOT = flags.DEFINE_integer(
    "plot_every", 0, "Validations between updates of WORKDIR/progress.png; 0: none."
)
_LOG = flags.DEFINE_integer("log_every", 100, "Steps between log lines.")

flags.register_validator(
    "crop", lambda side: side % 64 == 0, "Expected a multiple of 64."
)

flags.register_multi_flags_validator(
    ["schedule", "warmup_steps"],
    lambda values: values["schedule"] == "cosine" or values["warmup_steps"] == 0,
    "Expected --warmup_steps=0 with --schedule=plateau.",
)


@flags.validator("sizes", "Expected a JSON object.")
def _is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def model_config():
    """The `TrainedModelConfig` that the flags describe."""
    from tf_imgcomp.runs.config import TrainedModelConfig

    kind, name = _kind_and_name()
    return TrainedModelConfig(
        kind=kind,
        name=name,
        sizes=_sizes(),
        precision=_PRECISION.value,
        init=tuple(map(Path, _INIT.value)),
        init_pattern=_INIT_ONLY.value,
        train_pattern=_TRAINABLE.value,
    )


def _sizes() -> dict:
    """Those of --sizes; the slow mode refines for --distortion, unless they differ."""
    sizes = json.loads(_SIZES.value)
    if _POSTFILTER.value or objective_flags.DISTORTION.value == "mse":
        return sizes
    refinement = {"distortion": objective_flags.DISTORTION.value}
    return {**sizes, "refinement": {**refinement, **sizes.get("refinement", {})}}


def _kind_and_name() -> tuple:
    if _POSTFILTER.value:
        return "postfilter", _POSTFILTER.value
    return "codec", _CODEC.value


def data_config(**fields):
    """The `DataConfig` of the flags; other fields are arguments."""
    from tf_imgcomp.runs.config import DataConfig

    return DataConfig(batch=BATCH.value, crop=CROP.value, **fields)


def trainer_config():
    """The `TrainerConfig` that the flags describe."""
    from tf_imgcomp.training.optimization import OptimizationConfig
    from tf_imgcomp.training.trainer import TrainerConfig

    optimization = OptimizationConfig(
        steps=_STEPS.value,
        optimizer=_OPTIMIZER.value,
        learning_rate=_LEARNING_RATE.value,
        schedule=_SCHEDULE.value,
        warmup_steps=_WARMUP.value,
        clip_norm=_CLIP.value,
        beta_1=_BETA_1.value,
        average_decay=_AVERAGE.value,
    )
    return TrainerConfig(
        optimization,
        seed=_SEED.value,
        log_every=_LOG.value,
        validate_every=_VALIDATE.value,
        plot_every=_PLOT.value,
        quality=_QUALITY.value,
    )


def card() -> dict:
    """The part of a model card that these flags decide."""
    from tf_imgcomp.codecs.registry import CODECS
    from tf_imgcomp.configured_model import all_sizes
    from tf_imgcomp.postfilter.registry import POSTFILTERS

    modules = flags.FLAGS.flags_by_module_dict()
    ours = modules[__name__] + modules[objective_flags.__name__]
    kind, name = _kind_and_name()
    left_out = {_INIT.name, *({_CODEC.name} if kind == "postfilter" else {})}
    given = [f for f in ours if f.value is not None and f.name not in left_out]
    tables = {"codec": (CODECS, "codec"), "postfilter": (POSTFILTERS, "filter")}
    return {
        kind: name,
        "sizes": all_sizes(*tables[kind], name, _sizes()),
        "flags": sorted(flag.serialize() for flag in given),
    }
