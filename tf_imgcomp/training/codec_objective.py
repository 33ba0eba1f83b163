"""The training objective of a codec."""

from functools import partial
from typing import Callable, Optional

from tf_imgcomp.codecs.base import Codec
from tf_imgcomp.losses.rate_distortion import rate_distortion


def codec_objective(
    codec: Codec,
    noise: bool = True,
    noisy: bool = False,
    corrected: bool = False,
    loss: Optional[Callable] = None,
) -> Callable:
    """The training objective of a codec.

    Args:
        codec: the codec.
        noise: whether gradients of the rate are those of additive uniform noise; if
            not, they go straight through the rounding.
        noisy: whether the synthesis is trained on noisy latents in place of integers.
        corrected: whether latents are those that an encoder codes, see `Codec.call`.
        loss: function of images, `CodecOutput` and `lmbda` that returns a named
            tuple of scalars, `loss` among them. None: the rate-distortion Lagrangian
            with squared errors.

    Returns:
        Function of images, seed and quality that returns the loss and the metrics.
    """
    loss = loss or partial(rate_distortion, lmbda_middle=codec.lmbda_middle)

    def objective(images, seed, quality):
        output = codec(images, quality, seed if noise else None, noisy, corrected)
        metrics = loss(images, output, codec.lmbda(quality))._asdict()
        return metrics.pop("loss"), metrics

    return objective
