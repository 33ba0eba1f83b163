"""Layers of integer networks: matrix products with one answer on every machine.

An integer of up to 24 bits is exact in a float32. As long as the sum of all absolute
products stays below 2**24, every partial sum is exact too, in any order, with or
without fused multiply-add, and any matrix product routine gives the one right answer.
That fixes the number formats here:

    activations    multiples of 1/128 in [-8, 8]: integers up to 1024
    weights        integers of at most 11 bits times a power of two per output channel,
                   the finest that keeps `sum(|w|) * max(|x|) + |b| < 2**24`

Both are exact in TF32 as well, which GPUs may use for float32. (float64 with 16-bit
weights was measured first: five times slower, see `benchmarks/coding.py`.)
Convolutions are gathered patches times a matrix: a convolution routine may be
Winograd's, which is not exact.

Integers stay in floats throughout, where a shift is a product with a power of two and
changes nothing but the exponent: a sum of 24 bits times `2**-shift` is as exact as the
sum. Rounding to a multiple of `2**shift` adds 1/2 to it and takes the floor. If the sum
needs a 25th bit, the addition may round, but only up to the next integer, a power of
two, which float32 holds. TensorFlow is slow on int32.
"""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tf_imgcomp.layers import BoundedLeakyReLU
from tf_imgcomp.ops.rounding import round_half_up

ACTIVATION_BITS = 7  # Fraction bits.
ACTIVATION_MAX = int(BoundedLeakyReLU.BOUND) << ACTIVATION_BITS
PARAMETER_BITS = 10  # Fraction bits of logits, offsets and log2 scales.
WEIGHT_MAX = 2**11 - 1
SUM_MAX = 2**24 - 1


class IntegerDense(tf.Module):
    """A dense layer on integers, float32 `(n, inputs)` to `(n, outputs)`.

    Args:
        kernel: float `(inputs, outputs)`.
        bias: float `(outputs,)`.
        input_bits: int. Fraction bits of the inputs.
        input_max: int. Largest absolute input.
        output_bits: int. Fraction bits of the outputs.

    Raises:
        ValueError: If the weights are too large for these formats.
    """

    def __init__(self, kernel, bias, input_bits, input_max, output_bits):
        super().__init__()
        kernel, bias = np.asarray(kernel, np.float64), np.asarray(bias, np.float64)
        weights, biases, exponents = _quantize(kernel, bias, input_bits, input_max)
        shift = exponents + input_bits - output_bits
        if shift.min() < 1:
            raise ValueError(
                f"Expected weights that fit {input_bits} to {output_bits} fraction "
                f"bits, received sum(|w|) = {np.abs(kernel).sum(0).max()} in a column."
            )
        scale = 2.0**-shift
        self.weights = tf.Variable(weights.astype(np.int16), trainable=False)
        self.scale = tf.Variable(scale.astype(np.float32), trainable=False)
        self.biases = tf.Variable((biases * scale).astype(np.float32), trainable=False)

    def scaled_sums(self, x: tf.Tensor) -> tf.Tensor:
        """`(x @ weights) * scale + biases` exactly.

        Weights are scaled beforehand, as biases are: then all terms of a sum are
        integers times the same power of two, and so are its partial sums.
        """
        weights = tf.cast(self.weights, tf.float32) * self.scale
        return tf.nn.bias_add(tf.matmul(x, weights), self.biases)

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """Integers with `output_bits`."""
        return round_half_up(self.scaled_sums(x))

    def activate(self, x: tf.Tensor) -> tf.Tensor:
        """The same after `BoundedLeakyReLU`."""
        # The slope is a power of two: negative sums are shifted farther.
        y = tf.nn.leaky_relu(self.scaled_sums(x), BoundedLeakyReLU.SLOPE)
        return clip(round_half_up(y), -ACTIVATION_MAX, ACTIVATION_MAX)


def at_all_positions(function: Callable, x: tf.Tensor) -> tf.Tensor:
    """Applies a function of matrices to the last axis of a map `(b, h, w, c)`.

    A batch of matrices would be slower than one.
    """
    y = function(tf.reshape(x, [-1, x.shape[-1]]))
    return tf.reshape(y, tf.concat([tf.shape(x)[:-1], y.shape[-1:]], axis=0))


def clip(x: tf.Tensor, low: float, high: float) -> tf.Tensor:
    """`tf.clip_by_value` in one operation instead of two."""
    low, high = tf.constant(low, x.dtype), tf.constant(high, x.dtype)
    return tf.raw_ops.ClipByValue(t=x, clip_value_min=low, clip_value_max=high)


def _quantize(kernel, bias, input_bits: int, input_max: int) -> tuple:
    """Integer weights and biases with the largest exponents that keep sums exact."""
    total = np.abs(kernel).sum(0) * input_max + np.abs(bias) * 2.0**input_bits
    limit = np.minimum(
        SUM_MAX / np.maximum(total, 1e-9),
        WEIGHT_MAX / np.maximum(np.abs(kernel).max(0), 1e-9),
    )
    exponents = np.minimum(np.floor(np.log2(limit)), 20).astype(np.int64)
    while True:  # Rounding may lift a sum over the limit; then a bit less.
        weights = np.rint(kernel * 2.0**exponents)
        biases = np.rint(bias * 2.0 ** (exponents + input_bits))
        too_large = np.abs(weights).sum(0) * input_max + np.abs(biases) > SUM_MAX
        if not too_large.any():
            return weights, biases, exponents
        exponents = exponents - too_large
