"""Keras blocks that codecs are made of."""

from tf_imgcomp.layers.attention import (
    ChannelAttention,
    FastDeepResidualAttention,
    ResidualUnit,
    SimplifiedAttention,
    SpatialAttention,
)
from tf_imgcomp.layers.attention_residual import AttentionResidualBlock
from tf_imgcomp.layers.bounded_leaky_relu import BoundedLeakyReLU
from tf_imgcomp.layers.context import CheckerboardConv2D, QuadConv2D, RasterConv2D
from tf_imgcomp.layers.frequency import MultiFrequencyChannelAttention
from tf_imgcomp.layers.gain import GainUnit
from tf_imgcomp.layers.gdn import GDN
from tf_imgcomp.layers.importance import ImportanceMap
from tf_imgcomp.layers.lapped import InverseLappedTransform, LappedTransform
from tf_imgcomp.layers.log_features import LogFeatures
from tf_imgcomp.layers.modulation import LevelModulation
from tf_imgcomp.layers.post_processing import PostProcessing
from tf_imgcomp.layers.post_quantization import PostQuantizationFilter
from tf_imgcomp.layers.pyramid import PyramidConvolution
from tf_imgcomp.layers.residual import (
    ResidualBlock,
    ResidualDownsample,
    ResidualUpsample,
)
from tf_imgcomp.layers.subpixel import SubpixelConv2D

__all__ = [
    "GDN",
    "AttentionResidualBlock",
    "BoundedLeakyReLU",
    "ChannelAttention",
    "CheckerboardConv2D",
    "FastDeepResidualAttention",
    "GainUnit",
    "ImportanceMap",
    "InverseLappedTransform",
    "LappedTransform",
    "LevelModulation",
    "LogFeatures",
    "MultiFrequencyChannelAttention",
    "PostProcessing",
    "PostQuantizationFilter",
    "PyramidConvolution",
    "QuadConv2D",
    "RasterConv2D",
    "ResidualBlock",
    "ResidualDownsample",
    "ResidualUnit",
    "ResidualUpsample",
    "SimplifiedAttention",
    "SpatialAttention",
    "SubpixelConv2D",
]
