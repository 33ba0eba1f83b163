"""The kinds of models that can be trained: how each is made, measured and exported.

A card says which kind a model is by its key, `codec` or `postfilter`.
"""

from collections.abc import Callable
from typing import NamedTuple

from tf_imgcomp.codecs.base import Codec
from tf_imgcomp.codecs.registry import new_codec
from tf_imgcomp.data.patches import PAIRS, PHOTOS, Sampling
from tf_imgcomp.export import codec as codec_export
from tf_imgcomp.export import postfilter as postfilter_export
from tf_imgcomp.export.packed_weights import packed_variables
from tf_imgcomp.losses.registry import (
    RESTORATION_LOSSES,
    CodecLoss,
    check_loss,
    codec_loss,
)
from tf_imgcomp.postfilter.registry import new_postfilter
from tf_imgcomp.runs.config import ObjectiveConfig
from tf_imgcomp.training.codec_objective import codec_objective
from tf_imgcomp.training.codec_validation import RealBits
from tf_imgcomp.training.filter_objective import restoration_objective
from tf_imgcomp.training.filter_validation import RestorationGain


class ModelKind(NamedTuple):
    """A kind of model.

    Attributes:
        new: function of a name and sizes that gives an untrained model.
        objective: function of a model and an `ObjectiveConfig` that gives what it is
            trained for, see `training.step.Trainable`.
        validation: function of a model, photos and an `ObjectiveConfig` that gives a
            function without arguments, which returns a dict of figures.
        export: function of a model, a folder and a card that writes the SavedModel.
        packed: function of a model that gives the variables whose values
            `model_folder.packed_weights` reads from the SavedModel, in lists.
        sampling: what the training images are.
    """

    new: Callable
    objective: Callable
    validation: Callable
    export: Callable
    packed: Callable
    sampling: Sampling


def _codec_loss(codec: Codec, config: ObjectiveConfig) -> CodecLoss:
    return codec_loss(config.loss, codec.lmbda_middle, config.distortion, config.scales)


def _restoration_objective(postfilter, config: ObjectiveConfig) -> Callable:
    check_loss(config.restoration_loss, RESTORATION_LOSSES)
    return restoration_objective(
        postfilter, config.restoration_loss, config.piece_min, config.scales
    )


KINDS = {
    "codec": ModelKind(
        new_codec,
        lambda codec, config: codec_objective(
            codec,
            noise=config.noise_gradients,
            noisy=config.noisy_synthesis,
            corrected=config.corrected_latents,
            loss=_codec_loss(codec, config).batch,
        ),
        lambda codec, photos, config: RealBits(
            codec,
            photos,
            codec_export.CodecModule,
            _codec_loss(codec, config).image,
            config.validation_qualities,
        ),
        codec_export.export,
        packed_variables,
        PHOTOS,
    ),
    "postfilter": ModelKind(
        new_postfilter,
        _restoration_objective,
        lambda postfilter, photos, _: RestorationGain(postfilter, photos),
        postfilter_export.export,
        lambda _: (),
        PAIRS,
    ),
}
