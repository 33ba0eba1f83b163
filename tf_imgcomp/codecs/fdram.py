"""fdram: fast deep residual attention, Gaussian mixture, context in four passes."""

from dataclasses import dataclass

from tf_imgcomp.codecs.lapped import (
    LappedAnalysis,
    LappedCodec,
    LappedConfig,
    LappedSynthesis,
)
from tf_imgcomp.entropy.latent_coder import LatentCoderConfig
from tf_imgcomp.layers import (
    FastDeepResidualAttention,
    PostProcessing,
    ResidualBlock,
)
from tf_imgcomp.layers.base import register
from tf_imgcomp.ops.surroundings import cropped, run_in_shrinking_window

MODULES = {"fdram": FastDeepResidualAttention, "residual": ResidualBlock}


@dataclass(frozen=True)
class FdramConfig(LappedConfig):
    """Sizes and switches.

    Attributes:
        module: one of `MODULES`, used in both transforms.
        post_blocks: attention modules after synthesis, at 1/4 of the resolution; 0
            for no post-processing.
        post_filters: their channels.
        border: see `Codec.border`. Weights decide how many latents are needed, which
            `benchmarks/border.py` measures.
    """

    lmbda_max: float = 0.6
    levels: int = 7
    feedback: tuple = (0.6, 0.4)
    coder: LatentCoderConfig = LatentCoderConfig(
        slices=(16, 64, 240, 448),
        optional_slice=True,
        features=128,
        hidden=(256, 256),
        context="quads",
        bits_per_error=14.0,
    )
    module: str = "fdram"
    post_blocks: int = 6
    post_filters: int = 64
    border: int = 4


def _modules(config: FdramConfig, count: int) -> tuple:
    """The modules of a transform, at 1/8 and at 1/16."""
    if config.module not in MODULES:
        raise ValueError(
            f"Expected a module of {tuple(MODULES)}, received {config.module!r}."
        )
    module = MODULES[config.module]
    fine = [module(config.num_filters) for _ in range(count)]
    return fine, module(config.deep_filters)


class FdramSynthesis(LappedSynthesis):
    """With post-processing; its residual is in units of the quantizer's step.

    Called with `crop`, int32 `(4,)`, pixels of surroundings at the top, bottom, left
    and right, multiples of 16, it returns the image without them.
    """

    def __init__(self, config: FdramConfig, log2_step: tuple, **kwargs):
        modules = _modules(config, config.synthesis_modules)
        super().__init__(config, *modules, log2_step, **kwargs)
        self.post_processing = None
        if config.post_blocks:
            self.post_processing = PostProcessing(
                config.post_blocks, config.post_filters, config.levels
            )

    def call(self, y, level, crop=None):
        post = self.post_processing
        x, h = self.before_fine(y, level)
        h = self.fine_modulation(h, level)
        # In blocks of 8x8 pixels, rounded up.
        needed = -(-post.reach * post.CELL // 8) if post else 0
        features, remaining = run_in_shrinking_window(self.fine, h, crop, 8, needed)
        if crop is not None:
            x = cropped(x, crop - remaining)
        x_hat = x + self.repair(features, level)
        tile = cropped(x_hat, remaining)
        if not post:
            return tile
        correction = post(x_hat, features, level, remaining)
        return tile + self._step(level, x_hat.dtype) * correction


@register
class Fdram(LappedCodec):
    """Residual attention transforms, hyperprior, mixture, context in four passes.

    Each part of "FDRAM", the design that it follows, is a switch, so that its gain can
    be measured (`bin/ablate`): `module`, `coder.components` and `coder.tied`,
    `post_blocks`, `coder.context`.

    Args:
        config: `FdramConfig`, or its fields as a dict.
    """

    config_class = FdramConfig

    @property
    def border(self):
        """See `Codec`."""
        return self.config.border

    def make_analysis(self, config):
        modules = _modules(config, config.analysis_modules)
        return LappedAnalysis(config, *modules, name="analysis")

    def make_synthesis(self, config, log2_step):
        return FdramSynthesis(config, log2_step, name="synthesis")

    def synthesized_tile(self, y, level, crop):
        return self.synthesis_transform(y, level, 16 * crop)
