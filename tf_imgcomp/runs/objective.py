"""The settings of what a run minimizes."""

from dataclasses import dataclass, field

from tf_imgcomp.losses.scales import LossScales


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
