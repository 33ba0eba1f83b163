"""Matrix products of small integers: the same answer on every machine.

An integer of up to 24 bits is exact in a float32. As long as the sum of all absolute
products stays below 2**24, every partial sum is exact too, in any order, with or
without fused multiply-add, and any matrix product routine gives the one right answer.
That fixes the number formats here:

    activations    multiples of 1/128 in [-8, 8]: integers up to 1024
    weights        a power of two per output channel, the finest that keeps
                   `sum(|w|) * max(|x|) + |b| < 2**24`; at most 11 bits

Both are exact in TF32 as well, which GPUs may use for float32. (float64 with 16-bit
weights was measured first: five times slower, see `benchmarks/coding.py`.)
Convolutions are gathered patches times a matrix: a convolution routine may be
Winograd's, which is not exact. Between products, integers are int32 and are rounded
by shifts.
"""

import numpy as np
import tensorflow as tf

from tf_imgcomp.layers import BoundedLeakyReLU

ACTIVATION_BITS = 7  # Fraction bits.
ACTIVATION_MAX = int(BoundedLeakyReLU.BOUND) << ACTIVATION_BITS
PARAMETER_BITS = 10  # Fraction bits of logits, offsets and log2 scales.
WEIGHT_MAX = 2**11 - 1
SUM_MAX = 2**24 - 1
SLOPE_BITS = 3  # BoundedLeakyReLU.SLOPE is 2**-3.


class IntegerDense(tf.Module):
    """A dense layer on integers.

    Args:
        kernel: float `(inputs, outputs)`.
        bias: float `(outputs,)`.
        input_bits: int. Fraction bits of the inputs.
        input_max: int. Largest absolute input.
        output_bits: int. Fraction bits of the outputs.

    Raises:
        ValueError: If the weights are too large for these formats.
    """

    def __init__(self, kernel, bias, input_bits, input_max, output_bits, name=None):
        super().__init__(name=name)
        kernel, bias = np.asarray(kernel, np.float64), np.asarray(bias, np.float64)
        weights, biases, exponents = _quantize(kernel, bias, input_bits, input_max)
        shift = exponents + input_bits - output_bits
        if shift.min() < 1:
            raise ValueError(
                f"Expected weights that fit {input_bits} to {output_bits} fraction "
                f"bits, received sum(|w|) = {np.abs(kernel).sum(0).max()} in a column."
            )
        self.weights = tf.Variable(weights.astype(np.int16), trainable=False)
        self.biases = tf.Variable(biases.astype(np.int32), trainable=False)
        self.shift = tf.Variable(shift.astype(np.int32), trainable=False)

    def accumulate(self, x: tf.Tensor) -> tf.Tensor:
        """The exact sums, int32, of float32 integers `(..., inputs)`."""
        sums = tf.matmul(x, tf.cast(self.weights, tf.float32))
        return tf.cast(sums, tf.int32) + self.biases

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """Outputs, int32 with `output_bits`."""
        return _shift_right_rounded(self.accumulate(x), self.shift)

    def activate(self, x: tf.Tensor) -> tf.Tensor:
        """Outputs after `BoundedLeakyReLU`, float32 integers."""
        sums = self.accumulate(x)
        shift = tf.where(sums < 0, self.shift + SLOPE_BITS, self.shift)
        y = _shift_right_rounded(sums, shift)
        y = tf.clip_by_value(y, -ACTIVATION_MAX, ACTIVATION_MAX)
        return tf.cast(y, tf.float32)


def _shift_right_rounded(x: tf.Tensor, shift: tf.Tensor) -> tf.Tensor:
    half = tf.bitwise.left_shift(tf.ones_like(shift), shift - 1)
    return tf.bitwise.right_shift(x + half, shift)


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
