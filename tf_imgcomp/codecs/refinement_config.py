"""Settings of the slow mode, apart: the encoder that reads them loads no Keras."""

from __future__ import annotations

from dataclasses import dataclass

from tf_imgcomp.errors import ModelError


@dataclass(frozen=True)
class RefinementConfig:
    """How an encoder refines latents; tuned on two images, checked on two others.

    Attributes:
        distortion: what the latents are refined for, one of
            `losses.distortion.DISTORTIONS`.
        ms_ssim_scale: float. Of distortions with MS-SSIM, see `LossScales.ms_ssim`.
        step: float. First step of y (docs/effort.md).
        momentum: float. Of y.
        z_step: float. First step of z, by Adam.
        z_mean_decay: float. Of Adam.
        z_square_decay: float. Of Adam.
        last_step: float. Last step of both, as a share of the first.
        probes: int. Random signs by which an exported model estimates the error that a
            step causes, and the weight of errors in each block. An image of 64x64 has
            16 latents in a channel, so 4 probes average 64 values.
        bits_per_error_min: float. Lower bound of the bits that a squared error of one
            step is worth in a channel: 0 in a channel that does not affect the image.
    """

    distortion: str = "mse"
    ms_ssim_scale: float = 1275.0
    step: float = 0.25
    momentum: float = 0.6
    z_step: float = 0.03
    z_mean_decay: float = 0.9
    z_square_decay: float = 0.99
    last_step: float = 0.1
    probes: int = 4
    bits_per_error_min: float = 1e-3

    @classmethod
    def from_card(cls, card: dict) -> RefinementConfig:
        """The settings in a model card; those that it lacks are default.

        Raises:
            ModelError: If the card has others.
        """
        fields = card.get("sizes", {}).get("refinement", {})
        try:
            return cls(**fields)
        except TypeError as error:
            raise ModelError(f"refinement {fields} of a model card: {error}") from error
