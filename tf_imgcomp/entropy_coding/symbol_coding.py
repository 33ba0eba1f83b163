"""Codes the latents of one pass as symbols of the range coder."""

import functools
from typing import NamedTuple, Protocol

import tensorflow as tf

from tf_imgcomp.entropy_coding.symbol_streams import SymbolReader, scatter_into_zeros
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

    def read(self, reader: SymbolReader, tiles) -> tuple:
        """Reads integers; returns the reader and float32 `(m,)`.

        Args:
            reader: of one tile, or of several.
            tiles: of the elements, see `SymbolReader.tiles_of`.
        """


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
    coded = plan(rows, parameters)
    wanted = tf.gather(y, coded.positions)
    choice, values = coded.elements.choose(wanted, bits_per_error)
    return coded, choice, scatter_into_zeros(values, coded.positions, coded.size)


@_shared
def _write(log: tf.Tensor, elements: Elements, choice: tuple) -> tf.Tensor:
    return elements.write(log, choice)


def decode(rows: Rows, reader: SymbolReader, parameters: list) -> tuple:
    """Decodes the latents of a pass; returns the reader and float32 `(n,)`.

    The latents of several tiles come tile after tile.
    """
    # Only `_read` takes the reader: what comes before need not wait for the last pass.
    reader, are_coded = reader.begin(_are_coded(rows, parameters))
    return _read(reader, _plan(rows, parameters, are_coded))


@_shared
def _are_coded(rows: Rows, parameters: list) -> tf.Tensor:
    return ~rows.are_skipped(parameters)


@_shared
def _read(reader: SymbolReader, coded: CodingPlan) -> tuple:
    tiles = reader.tiles_of(coded.positions, coded.size)
    reader, values = coded.elements.read(reader, tiles)
    return reader, scatter_into_zeros(values, coded.positions, coded.size)


def plan(rows: Rows, parameters: list) -> CodingPlan:
    """Which elements of a pass are coded; see `encode`."""
    return _plan(rows, parameters, _are_coded(rows, parameters))


@_shared
def _plan(rows: Rows, parameters: list, are_coded: tf.Tensor) -> CodingPlan:
    positions = tf.cast(tf.where(are_coded)[:, 0], tf.int32)
    coded = [tf.gather(kind, positions) for kind in parameters]
    return CodingPlan(positions, rows.elements(coded), tf.size(are_coded))


def checksum(*latents: tf.Tensor) -> tf.Tensor:
    """Checksums of the decoded latents of each tile, int32 `(b,)` in [0, 65521).

    Args:
        latents: float32 `(b, ...)`, integers.
    """
    batch = tf.shape(latents[0])[0]
    flat = tf.concat([tf.reshape(t, [batch, -1]) for t in latents], axis=1)
    # Factors repeat. Latents of one factor are added first; float64 is exact here.
    padded = tf.pad(flat, [[0, 0], [0, -tf.shape(flat)[1] % _PERIOD]])
    by_factor = tf.cast(tf.reshape(padded, [batch, -1, _PERIOD]), tf.float64)
    sums = tf.cast(tf.reduce_sum(by_factor, axis=1), tf.int64)
    factors = tf.range(_PERIOD, dtype=tf.int64) * 40503 % _PERIOD + 1
    return tf.cast(tf.reduce_sum(factors * sums, axis=1) % 65521, tf.int32)
