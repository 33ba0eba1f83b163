"""Initial weights that make strided residual transforms a block DCT.

From random weights such transforms take hours to reach JPEG's level. Here analysis
starts as a 16x16 block DCT in four stages (`ops.bases.halving_stages`), synthesis as
its inverse. All other parts start with no effect, or almost none.
"""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from tf_imgcomp.layers import (
    ResidualBlock,
    ResidualDownsample,
    ResidualUpsample,
    SimplifiedAttention,
    SubpixelConv2D,
)
from tf_imgcomp.layers.residual import LEAKY_SLOPE
from tf_imgcomp.ops import bases

GATE_BIAS = -6.0  # Of attention; makes its mask 0.0025.
GAMMA_ROOT = 0.01  # Of normalization; at zero it would have no gradient.
LIFT = 8.0  # Standard deviations, which few coefficients reach.


def start_analysis(blocks: Sequence, widths: Sequence) -> None:
    """Sets the weights of an analysis transform, built.

    Args:
        blocks: in order. Three `ResidualDownsample` and a strided convolution halve
            the map, with as many channels as `widths` says.
        widths: four ints, the last the number of latents.
    """
    stages = iter(_stages(widths))
    for block in blocks:
        if isinstance(block, ResidualDownsample):
            _start_down(block, *next(stages))
        elif isinstance(block, tf.keras.layers.Conv2D):
            _start_linear(block, next(stages)[0], corner=0)
        else:
            _start_as_identity(block)


def start_synthesis(blocks: Sequence, widths: Sequence) -> None:
    """Sets the weights of a synthesis transform, built: the inverse of the analysis.

    Args:
        blocks: in order. Three `ResidualUpsample` and a `SubpixelConv2D` double it.
        widths: four ints, of the analysis.
    """
    stages = reversed(_stages(widths))
    for block in blocks:
        if isinstance(block, ResidualUpsample):
            _start_up(block, next(stages)[0])
        elif isinstance(block, SubpixelConv2D):
            _start_linear(block.conv, _inverse(next(stages)[0], 3), corner=1)
        else:
            _start_as_identity(block)


def _stages(widths: Sequence) -> list:
    """`ops.bases.halving_stages`, with room in each width for some pairs of signs."""
    ranks = [3]
    for width in widths[:-1]:
        ranks.append(min(4 * ranks[-1], width * 5 // 6))
    return bases.halving_stages((*ranks[1:], widths[-1]))


def _start_down(block: ResidualDownsample, stage, deviations) -> None:
    """The stage passes through the activation; the skip, of one pixel in four, is off.

    A large coefficient takes two channels, one for either sign; the activation
    multiplies their difference by `1 + LEAKY_SLOPE`. There are not enough channels for
    all: a small coefficient takes one, with a bias that keeps it above zero, where the
    activation changes nothing.
    """
    rank = stage.shape[-1]
    pairs = min(rank, block.filters - rank)
    signs = np.concatenate([np.eye(rank), -np.eye(rank, pairs)], axis=1)
    paired = np.arange(rank) < pairs
    lift = np.where(paired, 0.0, LIFT * deviations)
    _start_linear(block.conv1, stage @ signs, corner=0, bias=lift)
    back = signs.T * np.where(paired, 1 / (1 + LEAKY_SLOPE), 1.0)
    _start_linear(block.conv2, back[None, None], corner=1, bias=-lift)
    block.norm.gamma_root.assign(np.full(block.norm.gamma_root.shape, GAMMA_ROOT))
    _set_to_zero(block.skip)


def _start_up(block: ResidualUpsample, stage: np.ndarray) -> None:
    """The skip is linear and undoes the stage; the rest is off."""
    _start_linear(block.skip.conv, _inverse(stage, block.filters), corner=0)
    block.norm.gamma_root.assign(np.full(block.norm.gamma_root.shape, GAMMA_ROOT))
    _set_to_zero(block.conv)


def _inverse(stage: np.ndarray, filters: int) -> np.ndarray:
    """A stage's inverse as a 1x1 kernel whose result depth to space takes apart."""
    _, _, before, rank = stage.shape
    positions = np.zeros((1, 1, rank, 4, filters))
    positions[..., :before] = stage.reshape(4, before, rank).transpose(2, 0, 1)
    return positions.reshape(1, 1, rank, 4 * filters)


def _start_as_identity(block) -> None:
    if isinstance(block, ResidualBlock):
        _set_to_zero(block.conv2)
    else:
        assert isinstance(block, SimplifiedAttention)
        block.gate.bias.assign(np.full(block.gate.bias.shape, GATE_BIAS))


def _start_linear(layer, kernel: np.ndarray, corner: int, bias=()) -> None:
    """Pads a kernel, and optionally a bias, with zeros to a layer's size."""
    missing = np.subtract(layer.kernel.shape, kernel.shape)
    before = np.array([corner, corner, 0, 0])
    layer.kernel.assign(np.pad(kernel, np.stack([before, missing - before], axis=1)))
    layer.bias.assign(np.pad(bias, [0, layer.bias.shape[0] - len(bias)]))


def _set_to_zero(layer) -> None:
    for variable in layer.trainable_variables:
        variable.assign(tf.zeros_like(variable))
