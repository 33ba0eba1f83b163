"""The kinds of models that can be trained: how each is made, measured and exported.

A card says which kind a model is by its key, `codec` or `postfilter`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from tf_imgcomp.codecs.base import Codec
from tf_imgcomp.codecs.registry import new_codec
from tf_imgcomp.data.patches import PAIRS, PHOTOS, Sampling
from tf_imgcomp.export import codec as codec_export
from tf_imgcomp.export import postfilter as postfilter_export
from tf_imgcomp.export.packed_weights import packed_variables
from tf_imgcomp.losses.registry import CodecLoss, check_loss, codec_loss
from tf_imgcomp.losses.restoration import LOSSES
from tf_imgcomp.losses.scales import LossScales
from tf_imgcomp.postfilter.registry import new_postfilter
from tf_imgcomp.training.restoration import restoration_objective
from tf_imgcomp.training.restoration_gain import RestorationGain
from tf_imgcomp.training.step import codec_objective
from tf_imgcomp.training.validation import RealBits


@dataclass(frozen=True)
class ObjectiveConfig:
    """What training minimizes, and what validation judges weights by.

    Attributes:
        loss: one of `losses.registry.CODEC_LOSSES`, for a codec.
        distortion: one of `losses.distortion.DISTORTIONS`, for a codec.
        noise_gradients: rate gradient estimator of a codec: additive noise, or else
            straight-through.
        noisy_synthesis: whether a codec's synthesis learns on noisy latents instead of
            rounded ones.
        corrected_latents: whether a codec's latents are those that its encoder codes.
            For what follows the encoder, trained alone (docs/feedback.md).
        restoration_loss: one of `losses.restoration.LOSSES`, for a filter.
        scales: scales and weights of all these losses.
        piece_min: smallest side of the pieces that a filter's crops are cut into, in
            pixels, see `training.restoration`.
        validation_qualities: at which a codec's validation codes photos. The mean over
            them decides which weights are the best.
    """

    loss: str = "rate_distortion"
    distortion: str = "mse"
    noise_gradients: bool = True
    noisy_synthesis: bool = False
    corrected_latents: bool = False
    restoration_loss: str = "mse"
    scales: LossScales = field(default_factory=LossScales)
    piece_min: int = 64
    validation_qualities: tuple = (5.0, 25.0, 50.0, 75.0, 95.0)


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
    check_loss(config.restoration_loss, LOSSES)
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


def kind_of(card: dict) -> str:
    """The key of `KINDS` that a card has."""
    return next(key for key in KINDS if key in card)
