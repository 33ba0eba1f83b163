"""The settings of a run: what is trained, on what, and what it minimizes."""

from dataclasses import dataclass, field
from pathlib import Path

from tf_imgcomp.data.photos import ONE_HELD_OUT_IN
from tf_imgcomp.losses.scales import LossScales
from tf_imgcomp.size_limits import MAX_PIXELS


@dataclass(frozen=True)
class TrainedModelConfig:
    """What is trained, and from which weights.

    Attributes:
        kind: one of `kinds.KINDS`.
        name: of the codec or the filter, in its registry.
        sizes: fields of its config that are not default.
        precision: of the transforms, one of `precision.PRECISIONS`, or "auto" for the
            fastest here.
        init: weights to start from, files that training wrote or folders of exported
            models; of several, the mean. None for random ones.
        init_pattern: regular expression. Only variables whose path it matches start
            from `init`, which may then be another model's.
        train_pattern: regular expression. Only variables whose path it matches train.
    """

    kind: str = "codec"
    name: str = "fdram"
    sizes: dict = field(default_factory=dict)
    precision: str = "auto"
    init: tuple[Path, ...] = ()
    init_pattern: str = ""
    train_pattern: str = ""


@dataclass(frozen=True)
class DataConfig:
    """The photos of a run, and the crops that it takes of them.

    Attributes:
        folder: of photos, of any size and format, or of pairs for a filter.
        cache: folder for the decoded photos, about 3 bytes a pixel.
        batch: crops in a step.
        crop: side of a crop, a multiple of 64.
        one_held_out_in: one photo in so many, chosen by name, is held out for
            validation.
        validation_photos: how many of those held out are used, at most.
        max_pixels: largest number of pixels of a photo; 0: no limit.
        note: source and licence, for the card.
    """

    folder: Path
    cache: Path = Path(".cache/photos")
    batch: int = 8
    crop: int = 128
    one_held_out_in: int = ONE_HELD_OUT_IN
    validation_photos: int = 16
    max_pixels: int = MAX_PIXELS
    note: str = ""


@dataclass(frozen=True)
class ObjectiveConfig:
    """What training minimizes, and what validation judges weights by.

    Attributes:
        loss: one of `losses.registry.CODEC_LOSSES`, for a codec.
        distortion: one of `losses.distortion.DISTORTIONS`, for a codec.
        noise_gradients: whether gradients of a codec's rate are those of additive
            noise; if not, they go straight through the rounding.
        noisy_synthesis: whether a codec's synthesis learns on noisy latents instead of
            rounded ones.
        corrected_latents: whether a codec's latents are those that its encoder codes.
            For training only the parts after the encoder (docs/feedback.md).
        restoration_loss: one of `losses.registry.RESTORATION_LOSSES`, for a filter.
        scales: scales and weights of all these losses.
        piece_min: smallest side of the pieces that a filter's crops are cut into, in
            pixels, see `training.filter_objective`.
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
