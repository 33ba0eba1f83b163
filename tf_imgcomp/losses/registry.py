"""The tables of losses that a codec and a filter can be trained for.

Distortions in those of codecs have a table in `distortion`.
"""

from functools import partial
from typing import Callable, NamedTuple

from tf_imgcomp.errors import ModelError
from tf_imgcomp.losses.distortion import DISTORTIONS
from tf_imgcomp.losses.mfca_pmcn import mfca_pmcn_cost, mfca_pmcn_loss
from tf_imgcomp.losses.rate_distortion import lagrangian, rate_distortion
from tf_imgcomp.losses.restoration import (
    decibels,
    mae_and_ms_ssim,
    mean_absolute_error,
    scaled_squared_error,
)
from tf_imgcomp.losses.scales import SCALES, LossScales


class CodecLoss(NamedTuple):
    """A loss, of a batch in training and of a decoded image in validation.

    Attributes:
        batch: function of images, uint8 `(b, h, w, 3)`, their `CodecOutput` and rate
            weights, `(b,)`, that gives a named tuple of scalars, `loss` among them.
        image: function of originals and reconstructions, float32 `(b, h, w, 3)`, bits
            per pixel and `lmbda`, `(b,)`, that gives float32 `(b,)`, all > 0.
    """

    batch: Callable
    image: Callable


# Name in flagfiles: function of the middle `lmbda`, of a distortion's name and of
# scales.
CODEC_LOSSES: dict[str, Callable[[float, str, LossScales], CodecLoss]] = {
    "rate_distortion": lambda lmbda_middle, distortion, scales: CodecLoss(
        partial(
            rate_distortion,
            lmbda_middle=lmbda_middle,
            distortion=distortion,
            scales=scales,
        ),
        partial(lagrangian, distortion=distortion, scales=scales),
    ),
    "report": lambda lmbda_middle, distortion, scales: CodecLoss(
        partial(mfca_pmcn_loss, scales=scales), partial(mfca_pmcn_cost, scales=scales)
    ),
}

# Name in flagfiles: function, see `restoration`.
RESTORATION_LOSSES: dict[str, Callable] = {
    "mae": mean_absolute_error,
    "mae_ms_ssim": mae_and_ms_ssim,
    "mse": scaled_squared_error,
    "psnr": decibels,
}


def codec_loss(
    name: str,
    lmbda_middle: float,
    distortion: str = "mse",
    scales: LossScales = SCALES,
) -> CodecLoss:
    """The loss with a name.

    Args:
        name: one of `CODEC_LOSSES`.
        lmbda_middle: the codec's distortion weight halfway, see `rate_distortion`.
        distortion: one of `DISTORTIONS`; only "rate_distortion" uses it.
        scales: scales and weights of all losses.

    Raises:
        ModelError: If there is no such loss or distortion.
    """
    check_loss(name, CODEC_LOSSES)
    check_loss(distortion, DISTORTIONS)
    return CODEC_LOSSES[name](lmbda_middle, distortion, scales)


def check_loss(name: str, table: dict) -> None:
    """Raises a ModelError that names the losses of a table if `name` is not one."""
    if name not in table:
        raise ModelError(f"no loss {name!r}; there are: {', '.join(table)}")
