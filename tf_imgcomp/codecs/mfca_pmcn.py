"""mfca_pmcn: multi-frequency channel attention, pyramids of convolutions."""

from dataclasses import dataclass

import tensorflow as tf

from tf_imgcomp.codecs import feedback
from tf_imgcomp.codecs.base import Codec
from tf_imgcomp.codecs.lapped import (
    LappedAnalysis,
    LappedCodec,
    LappedConfig,
    LappedSynthesis,
)
from tf_imgcomp.entropy.latent_coder import LatentCoderConfig
from tf_imgcomp.layers import (
    ImportanceMap,
    PostQuantizationFilter,
    PyramidConvolution,
    ResidualBlock,
)
from tf_imgcomp.layers.base import register
from tf_imgcomp.layers.frequency import POOLED
from tf_imgcomp.ops import bases


@dataclass(frozen=True)
class MfcaPmcnConfig(LappedConfig):
    """Sizes and switches; its modules are `PyramidConvolution`s.

    Attributes:
        form: of the multi-frequency attention, "groups" or "all".
        extent: of the attention, in pixels: the side of a training crop.
        importance: whether latents are multiplied by a learned importance map.
        importance_filters: channels inside the network that makes it.
        filter_latents: whether a post-quantization filter (PQF) repairs them.
        latent_filters: channels inside that.
    """

    feedback: tuple = (0.8, 0.8, 0.6)
    coder: LatentCoderConfig = LatentCoderConfig(
        features=128, hidden=(256, 256), context="quads", bits_per_error=14.0
    )
    synthesis_modules: int = 8
    form: str = "groups"
    extent: int = 256
    importance: bool = True
    importance_filters: int = 48
    filter_latents: bool = True
    latent_filters: int = 48


def _pyramids(config: MfcaPmcnConfig, filters: int, stride: int, count: int) -> list:
    """Modules of one stage; `stride` is the distance of its positions in pixels."""
    extent = config.extent // stride
    return [PyramidConvolution(filters, config.form, extent) for _ in range(count)]


class MfcaPmcnAnalysis(LappedAnalysis):
    """Pyramids in both stages; the latents weighted by their importance."""

    def __init__(self, config: MfcaPmcnConfig, **kwargs):
        fine = _pyramids(config, config.num_filters, 8, config.analysis_modules)
        (deep,) = _pyramids(config, config.deep_filters, 16, 1)
        super().__init__(config, fine, deep, **kwargs)
        self.importance_map = None
        if config.importance:
            depth = config.coder.latent_depth
            self.importance_map = ImportanceMap(config.importance_filters, depth)

    def call(self, x, level):
        return self.weighted(x, level)[0]

    def weighted(self, x, level):
        """Latents, and their importance weights, 0 to 2, or None."""
        features = self.features(x, level)
        y = self.from_features(x, features, level)
        if not self.importance_map:
            return y, None
        weights = self.importance_map(features)
        return y * weights, weights


class MfcaPmcnSynthesis(LappedSynthesis):
    """Pyramids in one stage, and a filter of the latents before it.

    Its skip connections start from decoded latents, which are all that a file holds.
    """

    def __init__(self, config: MfcaPmcnConfig, log2_step: tuple, **kwargs):
        fine = _pyramids(config, config.num_filters, 8, config.synthesis_modules)
        deep = ResidualBlock(config.deep_filters)
        super().__init__(config, fine, deep, log2_step, **kwargs)
        self.latent_filter = None
        if config.filter_latents:
            self.latent_filter = PostQuantizationFilter(
                config.latent_filters, config.coder.latent_depth, config.levels
            )


@register
class MfcaPmcn(LappedCodec):
    """Pyramids with multi-frequency attention.

    y ─► * importance ─► gain ─► round ─► y_hat ─► filter ─► inverse gain ─► synthesis

    Args:
        config: `MfcaPmcnConfig`, or its fields as a dict.

    References:
        Pothireddy and Poojita, "Multiscale Image Compression with Attention-Enhanced
        Discrete Cosine Transform Models", IIT Jodhpur 2024
    """

    config_class = MfcaPmcnConfig
    bytes_per_pixel = 70.0
    encoder_base = 320e6

    @property
    def border(self):
        """One window of the attention: a tile sees the same windows as its image."""
        return self.config.extent // 16

    def make_analysis(self, config):
        return MfcaPmcnAnalysis(config, name="analysis")

    def make_synthesis(self, config, log2_step):
        return MfcaPmcnSynthesis(config, log2_step, name="synthesis")

    def transform_constants(self):
        pooling = {"pooled": POOLED, "frequencies": bases.TOP_FREQUENCIES.tolist()}
        return {**super().transform_constants(), **pooling}

    def analysis_and_importance(self, images, quality):
        level = self.level(quality)
        y, weights = self.analysis_transform.weighted(self.padded(images), level)
        y = feedback.corrected(self, self._in_steps(y, level), images, quality)
        if weights is None:
            return y, None
        return y, tf.reduce_mean(tf.cast(weights, tf.float32), axis=-1) / 2

    def analysed_error(self, images, x_hat, y, quality):
        """See `Codec`: by the full analysis, because the importance map scales y."""
        return Codec.analysed_error(self, images, x_hat, y, quality)

    def synthesis(self, y_hat, quality, crop=None):
        latent_filter = self.synthesis_transform.latent_filter
        if latent_filter:
            correction = latent_filter(y_hat, self.level(quality))
            y_hat = y_hat + tf.cast(correction, y_hat.dtype)
        return super().synthesis(y_hat, quality, crop)
