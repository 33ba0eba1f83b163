"""Latents to symbols and back, a pass at a time."""

import functools
from typing import Protocol

import tensorflow as tf

_PERIOD = 65519  # Of the factors in a checksum; a prime.


class Elements(Protocol):
    """m elements, each with what is known of its probabilities."""

    def encode(self, coder: tf.Tensor, y: tf.Tensor) -> tuple:
        """Chooses an integer for each element and writes it.

        Args:
            coder: of `range_coder`, as are all here.
            y: float32 `(m,)`, in quantizer steps.

        Returns:
            The coder, and what a decoder will see, float32 `(m,)`.
        """

    def decode(self, coder: tf.Tensor) -> tuple:
        """Reads the integers: the coder, and float32 `(m,)`."""


class Rows(Protocol):
    """From what the integer networks say to rows of frequencies.

    What they say are the parameters of n elements, a list of float32 `(n,)` with 10
    fraction bits, in the order of `mixture.split_parameters`.

    Attributes:
        table: all rows, for `range_coder`.
    """

    table: tf.Tensor

    def are_zero(self, parameters: list) -> tf.Tensor:
        """Which elements are zero for certain and not coded, bool `(n,)`."""

    def elements(self, parameters: list) -> Elements:
        """The elements with these parameters."""


# A TensorFlow function that stays one in the graphs of its callers: these code several
# passes, and what is in a graph once is loaded and optimized once.
_shared = functools.partial(
    tf.function, reduce_retracing=True, experimental_attributes={"_noinline": True}
)


@_shared
def encode(rows: Rows, coder: tf.Tensor, parameters: list, y: tf.Tensor) -> tuple:
    """Codes the latents of a pass.

    Args:
        rows: rows of frequencies.
        coder: a range coder with their table.
        parameters: what the integer networks say, see `Rows`.
        y: float32 `(n,)`, in quantizer steps.

    Returns:
        The coder, and what a decoder will see, float32 `(n,)`.
    """
    plan = CodingPlan(rows, parameters)
    coder, values = plan.elements.encode(coder, tf.gather(y, plan.positions))
    return coder, plan.with_zeros(values)


@_shared
def decode(rows: Rows, coder: tf.Tensor, parameters: list) -> tuple:
    """Decodes the latents of a pass: the coder, and float32 `(n,)`; see `encode`."""
    plan = CodingPlan(rows, parameters)
    coder, values = plan.elements.decode(coder)
    return coder, plan.with_zeros(values)


class CodingPlan:
    """Which elements of a pass are coded.

    Args:
        rows: rows of frequencies.
        parameters: of all n elements of the pass, as for `encode`.

    Attributes:
        positions: int32 `(m,)`, of the elements that are not zero for certain.
        elements: these elements.
    """

    def __init__(self, rows: Rows, parameters: list):
        are_zero = rows.are_zero(parameters)
        self._size = tf.size(are_zero)
        self.positions = tf.cast(tf.where(~are_zero)[:, 0], tf.int32)
        coded = [tf.gather(kind, self.positions) for kind in parameters]
        self.elements = rows.elements(coded)

    def with_zeros(self, values: tf.Tensor) -> tf.Tensor:
        """All elements, float32 `(n,)`, from the coded ones, `(m,)`."""
        # A seventh of the time of tf.scatter_nd.
        return tf.raw_ops.SparseToDense(
            sparse_indices=self.positions,
            output_shape=[self._size],
            sparse_values=values,
            default_value=0.0,
            validate_indices=False,  # They come from tf.where.
        )


def checksum(*latents: tf.Tensor) -> tf.Tensor:
    """A checksum of decoded latents, int32 scalar in [0, 65521)."""
    flat = tf.concat([tf.reshape(tf.cast(t, tf.int64), [-1]) for t in latents], axis=0)
    # A factor for each position, made once: they repeat.
    factors = tf.range(_PERIOD, dtype=tf.int64) * 40503 % _PERIOD + 1
    count = tf.size(flat)
    factors = tf.tile(factors, [count // _PERIOD + 1])[:count]
    return tf.cast(tf.reduce_sum(factors * flat) % 65521, tf.int32)
