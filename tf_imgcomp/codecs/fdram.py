"""fdram: fast deep residual attention, Gaussian mixture, checkerboard context."""

from dataclasses import dataclass

from tf_imgcomp.codecs.lapped import (
    LappedAnalysis,
    LappedCodec,
    LappedConfig,
    LappedSynthesis,
)
from tf_imgcomp.layers import FastDeepResidualAttention
from tf_imgcomp.layers.base import register


@dataclass(frozen=True)
class FdramConfig(LappedConfig):
    """Sizes; its modules are those of attention."""


def _modules(config: FdramConfig, count: int) -> tuple:
    """The attention modules of a transform, at 1/8 and at 1/16."""
    fine = [FastDeepResidualAttention(config.num_filters) for _ in range(count)]
    return fine, FastDeepResidualAttention(config.deep_filters)


@register
class Fdram(LappedCodec):
    """Residual attention transforms, hyperprior, mixture, checkerboard context.

    Args:
        config: `FdramConfig`, or its fields as a dict.
    """

    config_class = FdramConfig

    def make_analysis(self, config):
        modules = _modules(config, config.analysis_modules)
        return LappedAnalysis(config, *modules, name="analysis")

    def make_synthesis(self, config, log2_step):
        modules = _modules(config, config.synthesis_modules)
        return LappedSynthesis(config, *modules, log2_step, name="synthesis")
