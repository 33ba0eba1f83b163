"""Codes the latents of one pass as symbols of the range coder."""

import functools
from typing import NamedTuple, Protocol

import tensorflow as tf

from tf_imgcomp.entropy.range_coder import Reader
from tf_imgcomp.entropy.symbol_streams import scatter_into_zeros
from tf_imgcomp.ops.graphs import graph_function

_PERIOD = 65519  # Of the factors in a checksum; a prime.


class Elements(Protocol):
    """m elements to code, each with its probability distribution."""

    def choose(self, y: tf.Tensor, bits_per_error: float) -> tuple:
        """Chooses an integer for each element.

        Args:
            y: float32 `(m,)`, in quantizer steps.
            bits_per_error: see `LatentCoderConfig`.

        Returns:
            The choice, for `write`; and the integers chosen, float32 `(m,)`.
        """

    def write(self, log: tf.Tensor, choice: tuple) -> tf.Tensor:
        """Logs the symbols of a choice; returns the log."""

    def read(self, reader: Reader) -> tuple:
        """Reads integers; returns the reader and float32 `(m,)`."""


class Rows(Protocol):
    """Finds the row of frequencies of each element.

    Parameters come from the integer networks: for n elements a list of float32 `(n,)`
    with 10 fraction bits, in the order of `mixture.split_parameters`.

    Attributes:
        table: all rows, for `range_coder`.
        symbols_per_integer: int. How many symbols code an integer, without digits.
    """

    table: tf.Tensor
    symbols_per_integer: int

    def are_skipped(self, parameters: list) -> tf.Tensor:
        """Elements that are not coded, since they are almost surely 0, bool `(n,)`."""

    def elements(self, parameters: list) -> Elements:
        """The elements with these parameters."""


class CodingPlan(NamedTuple):
    """Which elements of a pass are coded.

    Attributes:
        positions: int32 `(m,)`, of the elements that are coded.
        elements: these elements.
        size: int32 scalar. Number of all elements.
    """

    positions: tf.Tensor
    elements: Elements
    size: tf.Tensor


# A function that is not inlined. Callers code several passes, and a graph loads and
# optimizes a shared function once.
_shared = functools.partial(
    graph_function, reduce_retracing=True, experimental_attributes={"_noinline": True}
)


def encode(
    rows: Rows,
    log: tf.Tensor,
    parameters: list,
    y: tf.Tensor,
    bits_per_error: float,
) -> tuple:
    """Chooses the latents of a pass and logs their symbols.

    The networks of the next pass run while symbols are found: they need the latents
    only.

    Args:
        rows: rows of frequencies.
        log: of symbols, see `symbol_streams`.
        parameters: see `Rows`.
        y: float32 `(n,)`, in quantizer steps.
        bits_per_error: see `LatentCoderConfig`.

    Returns:
        The log, and the latents as decoded, float32 `(n,)`.
    """
    coded, choice, y_hat = choose(rows, parameters, y, bits_per_error)
    return _write(log, coded.elements, choice), y_hat


@_shared
def choose(rows: Rows, parameters: list, y: tf.Tensor, bits_per_error: float) -> tuple:
    """The plan, the choice to write, and the latents as decoded; see `encode`."""
    coded = _plan(rows, parameters)
    wanted = tf.gather(y, coded.positions)
    choice, values = coded.elements.choose(wanted, bits_per_error)
    return coded, choice, scatter_into_zeros(values, coded.positions, coded.size)


@_shared
def _write(log: tf.Tensor, elements: Elements, choice: tuple) -> tf.Tensor:
    return elements.write(log, choice)


def decode(rows: Rows, reader: Reader, parameters: list) -> tuple:
    """Decodes the latents of a pass; returns the reader and float32 `(n,)`."""
    return _read(reader, plan(rows, parameters))


@_shared
def _read(reader: Reader, coded: CodingPlan) -> tuple:
    reader, values = coded.elements.read(reader)
    return reader, scatter_into_zeros(values, coded.positions, coded.size)


@_shared
def plan(rows: Rows, parameters: list) -> CodingPlan:
    """Which elements of a pass are coded; see `encode`."""
    return _plan(rows, parameters)


def _plan(rows, parameters) -> CodingPlan:
    are_skipped = rows.are_skipped(parameters)
    positions = tf.cast(tf.where(~are_skipped)[:, 0], tf.int32)
    coded = [tf.gather(kind, positions) for kind in parameters]
    return CodingPlan(positions, rows.elements(coded), tf.size(are_skipped))


def checksum(*latents: tf.Tensor) -> tf.Tensor:
    """A checksum of decoded latents, int32 scalar in [0, 65521)."""
    flat = tf.concat([tf.reshape(t, [-1]) for t in latents], axis=0)
    # Factors repeat. Latents of one factor are added first; float64 is exact here.
    padded = tf.pad(flat, [[0, -tf.size(flat) % _PERIOD]])
    sums = tf.reduce_sum(tf.cast(tf.reshape(padded, [-1, _PERIOD]), tf.float64), axis=0)
    factors = tf.range(_PERIOD, dtype=tf.int64) * 40503 % _PERIOD + 1
    return tf.cast(tf.reduce_sum(factors * tf.cast(sums, tf.int64)) % 65521, tf.int32)
