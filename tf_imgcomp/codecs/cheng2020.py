"""cheng2020: residual blocks, attention modules, Gaussian mixture, raster context."""

from dataclasses import dataclass
from typing import Optional

import tensorflow as tf

from tf_imgcomp.codecs import block_start
from tf_imgcomp.codecs.base import Codec, CodecConfig
from tf_imgcomp.entropy.latent_coder import LatentCoderConfig
from tf_imgcomp.layers import (
    ResidualBlock,
    ResidualDownsample,
    ResidualUpsample,
    SimplifiedAttention,
    SubpixelConv2D,
)
from tf_imgcomp.layers.base import conv, register


def published_coder(num_filters: int) -> LatentCoderConfig:
    """The latent coder's sizes of the paper: N channels of y and of z."""
    n = num_filters
    return LatentCoderConfig(
        slices=(n,),
        hyper_analysis=((n, 3, 1), (n, 3, 1), (n, 3, 2), (n, 3, 1), (n, 3, 2)),
        hyper_synthesis=((n, 1), (n, 2), (n * 3 // 2, 1), (n * 3 // 2, 2), (2 * n, 1)),
        features=2 * n,
        hidden=(640, 640),
        embedding=None,
        components=3,
        tied=False,
        context="raster",
    )


SMALL_CODER = LatentCoderConfig(
    slices=(256,),
    hyper_analysis=((96, 3, 1), (64, 3, 1), (64, 3, 2), (64, 3, 1), (32, 3, 2)),
    hyper_synthesis=((48, 1), (64, 2), (80, 1), (96, 2), (128, 1)),
    features=128,
    hidden=(192, 192),
    embedding=None,
    components=3,
    tied=False,
    context="raster",
    bits_per_error=14.0,
)


@dataclass(frozen=True)
class Cheng2020Config(CodecConfig):
    """Sizes; the defaults are size S, for two CPU cores.

    Attributes:
        num_filters: channels of the transforms at 1/2, 1/4, 1/8 and 1/16 of the
            resolution, the last those of y.
        inner: channels inside the blocks at 1/16; None: as many as in the paper.
    """

    lmbda_min: float = 0.0004
    lmbda_max: float = 0.09
    feedback: tuple = (0.8, 0.8, 0.6)
    coder: LatentCoderConfig = SMALL_CODER
    num_filters: tuple = (16, 48, 80, 256)
    inner: Optional[int] = 56

    @classmethod
    def from_dict(cls, fields: dict) -> "Cheng2020Config":
        """The config with these fields, `coder` a dict of its own, others default.

        If `num_filters` is one number (128 or 192 in the paper), all sizes are the
        published ones.
        """
        widths, coder = fields.get("num_filters", cls.num_filters), cls.coder
        if isinstance(widths, int):
            fields = {"inner": None, **fields}
            widths, coder = (widths,) * 4, published_coder(widths)
        coder = {**vars(coder), "slices": (widths[-1],), **fields.get("coder", {})}
        return super().from_dict({**fields, "num_filters": widths, "coder": coder})


class _Transform(tf.keras.layers.Layer):
    """Blocks one after the other, the same for every rate."""

    def call(self, x, level):
        del level  # Only gains and the latent coder depend on the rate.
        for block in self.blocks:
            x = block(x)
        return x


class Cheng2020Analysis(_Transform):
    """Image to latents, `(b, h, w, 3)` to `(b, h / 16, w / 16, c)`."""

    def __init__(self, widths: tuple, inner: Optional[int], **kwargs):
        super().__init__(**kwargs)
        half, quarter, eighth, sixteenth = widths
        self.blocks = [
            ResidualDownsample(half),
            ResidualBlock(half),
            ResidualDownsample(quarter),
            SimplifiedAttention(quarter),
            ResidualBlock(quarter),
            ResidualDownsample(eighth),
            ResidualBlock(eighth),
            conv(sixteenth, 3, 2),
            SimplifiedAttention(sixteenth, inner),
        ]
        self._widths = widths

    def build(self, shape):
        self.call(tf.zeros((1, 64, 64, shape[-1]), self.compute_dtype), None)
        block_start.start_analysis(self.blocks, self._widths)
        super().build(shape)


class Cheng2020Synthesis(_Transform):
    """Latents to image, `(b, h / 16, w / 16, c)` to `(b, h, w, 3)`."""

    def __init__(self, widths: tuple, inner: Optional[int], **kwargs):
        super().__init__(**kwargs)
        half, quarter, eighth, sixteenth = widths
        self.blocks = [
            SimplifiedAttention(sixteenth, inner),
            ResidualBlock(sixteenth, inner),
            ResidualUpsample(eighth),
            ResidualBlock(eighth),
            ResidualUpsample(quarter),
            SimplifiedAttention(quarter),
            ResidualBlock(quarter),
            ResidualUpsample(half),
            ResidualBlock(half),
            SubpixelConv2D(3),
        ]
        self._widths = widths

    def build(self, shape):
        self.call(tf.zeros((1, 4, 4, shape[-1]), self.compute_dtype), None)
        block_start.start_synthesis(self.blocks, self._widths)
        super().build(shape)


@register
class Cheng2020(Codec):
    """Residual blocks with attention, hyperprior, mixture of three, raster context.

    Args:
        config: `Cheng2020Config`, or its fields as a dict.

    References:
        Cheng, Sun, Takeuchi and Katto, "Learned Image Compression with Discretized
        Gaussian Mixture Likelihoods and Attention Modules", CVPR 2020
    """

    config_class = Cheng2020Config
    bytes_per_pixel = 110.0

    def make_analysis(self, config):
        analysis = Cheng2020Analysis(config.num_filters, config.inner, name="analysis")
        analysis.build((None, None, None, 3))
        return analysis

    def make_synthesis(self, config, log2_step):
        del log2_step  # It starts as the inverse of the analysis, whatever the step.
        widths = config.num_filters
        synthesis = Cheng2020Synthesis(widths, config.inner, name="synthesis")
        synthesis.build((None, None, None, widths[-1]))
        return synthesis
