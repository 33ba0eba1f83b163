"""The functions that turn network outputs into probabilities, sampled once.

Numbers are fixed point: a mean with 10 fraction bits counts 1/1024 of a quantizer
step, a log2 scale 1/1024 of an octave. Normal distribution, exponential and power of
two are tables, made once from floats and saved with the model; from then on every
number is an integer, or an integer times a power of two.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf
from scipy.special import ndtr

from tf_imgcomp.entropy.mixture import LOG2_SCALE_MAX, LOG2_SCALE_MIN
from tf_imgcomp.entropy_coding.integer_networks import PARAMETER_BITS, clip

ONE = 1 << PARAMETER_BITS

_PHI_BITS = 9  # The normal distribution is sampled every 2**-9 deviations ...
_PHI_RANGE = 8  # ... as far as 8 deviations from the mean.
_PHI_SIZE = _PHI_RANGE << _PHI_BITS
PHI_ONE_BITS = 19  # Its values are multiples of 2**-19.

_EXP_STEP_BITS = 3  # exp is sampled at every 8th logit, down to exp(-8).
_EXP_RANGE = 8 * ONE
_EXP_ONE_BITS = 15
_POWER_BITS = 12  # 2 ** -fraction of an octave.
_LOG2_SCALE_MIN = int(LOG2_SCALE_MIN * ONE)
_LOG2_SCALE_MAX = int(LOG2_SCALE_MAX * ONE)


class Tables(tf.Module):
    """The sampled functions as a model keeps them, int32."""

    def __init__(self):
        super().__init__()
        x = np.arange(-_PHI_SIZE, _PHI_SIZE + 1) / (1 << _PHI_BITS)
        octave = np.arange(ONE) / ONE
        decay = np.arange(0, _EXP_RANGE + 1, 1 << _EXP_STEP_BITS) / ONE
        self.phi = _table(ndtr(x), PHI_ONE_BITS)
        self.inverse_power = _table(2.0**-octave, _POWER_BITS)
        self.scale = tf.Variable(sample_scales(), trainable=False)
        self.exp = _table(np.exp(-decay), _EXP_ONE_BITS)

    def read(self) -> "Functions":
        """The tables as float64 tensors.

        Look-ups take most of the time: in a variable twice as much as in a tensor. Both
        functions of a log2 scale share a table, so that one look-up gives both.
        """
        phi, powers, scale, exp = (
            tf.cast(table, tf.float64)
            for table in (self.phi, self.inverse_power, self.scale, self.exp)
        )
        octaves = np.arange(LOG2_SCALE_MIN, LOG2_SCALE_MAX + 1)
        octaves = 2.0 ** -(octaves + _POWER_BITS + PARAMETER_BITS - _PHI_BITS)
        factor = tf.reshape(octaves[:, None] * powers, [-1])[: scale.shape[0]]
        half_step = tf.floor(factor * (ONE * ONE / 2 / (1 << _PHI_BITS)))
        half_step = tf.cast(half_step, tf.float32)
        return Functions(phi, exp, scale + factor * _FACTOR_UNIT, half_step)


_FACTOR_UNIT = 2.0**-4  # Factors are at most 8: below 1 in this unit.


def _table(values: np.ndarray, bits: int) -> tf.Variable:
    integers = np.rint(values * (1 << bits)).astype(np.int32)
    return tf.Variable(integers, trainable=False)


def sample_scales() -> np.ndarray:
    """The scale of every log2 scale, int32 with 10 fraction bits."""
    log2_scale = np.arange(_LOG2_SCALE_MIN, _LOG2_SCALE_MAX + 1) / ONE
    return np.rint(2.0**log2_scale * ONE).astype(np.int32)


def scale_index(log2_scale: tf.Tensor) -> tf.Tensor:
    """Indexes of float32 log2 scales, 10 fraction bits, in tables of scales, int32."""
    low, high = _LOG2_SCALE_MIN, _LOG2_SCALE_MAX
    return tf.cast(clip(log2_scale - low, 0, high - low), tf.int32)


class Functions(NamedTuple):
    """The sampled functions, float64 vectors of exact values.

    Attributes:
        phi_table: `2 * 8 * 2**9 + 1` samples of the normal distribution function.
        exp_table: samples of exp from 0 downwards.
        scale_table: for every log2 scale the scale, an integer, plus the factor of
            `scale_and_factor` times 2**-4; 45 bits together.
        half_step_table: for every log2 scale how many deviations half a quantizer step
            is, float32 integers, 10 fraction bits.
    """

    phi_table: tf.Tensor
    exp_table: tf.Tensor
    scale_table: tf.Tensor
    half_step_table: tf.Tensor

    def phi(self, x: tf.Tensor) -> tf.Tensor:
        """Looks up the normal distribution function, integers 0 to 2**19.

        Args:
            x: float64, in 2**-9 deviations; rounded down.
        """
        index = clip(x + _PHI_SIZE, 0, 2 * _PHI_SIZE)
        return tf.gather(self.phi_table, tf.cast(index, tf.int32))

    def exp(self, x: tf.Tensor) -> tf.Tensor:
        """Looks up the exponential function, integers 0 to 2**15.

        Args:
            x: float32 integers up to 0, 10 fraction bits.
        """
        index = tf.minimum(-x, _EXP_RANGE) * 2.0**-_EXP_STEP_BITS
        return tf.gather(self.exp_table, tf.cast(index, tf.int32))

    def scale_and_factor(self, log2_scale: tf.Tensor) -> tuple:
        """Looks up float32 integers, 10 fraction bits.

        Returns:
            The scale, integers with 10 fraction bits; and the factor from a distance
            with 10 fraction bits to one for `phi`, multiples of 2**-22 up to 8.
        """
        both = tf.gather(self.scale_table, scale_index(log2_scale))
        scale = tf.floor(both)
        return scale, (both - scale) / _FACTOR_UNIT

    def half_step(self, log2_scale: tf.Tensor) -> tf.Tensor:
        """Half a quantizer step in deviations; float32 with 10 fraction bits."""
        return tf.gather(self.half_step_table, scale_index(log2_scale))
