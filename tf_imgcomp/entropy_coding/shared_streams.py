"""Reads the streams of several tiles in one loop over symbols.

In standard operations a step of the loop takes about as long for a few streams as for
a hundred. So tiles of one size are decoded together: their latents are one batch, and
a step reads a symbol of every stream of every tile. In one call, tiles may need
different numbers of symbols; streams of tiles that have all theirs are not read.
"""

from typing import Callable, NamedTuple

import tensorflow as tf

from tf_imgcomp.entropy_coding.range_coder import Reader
from tf_imgcomp.entropy_coding.standard_range_coder import STILL
from tf_imgcomp.entropy_coding.symbol_streams import (
    FLAG_ROW,
    integers_max,
    scatter_into_zeros,
)


class SharedStrings(NamedTuple):
    """The streams of a part of several tiles; see `symbol_streams.TileStrings`.

    Attributes:
        strings: `(b, s)`, each row padded with any strings.
        counts: int32 `(b,)`, streams of each tile.
    """

    strings: tf.Tensor
    counts: tf.Tensor

    def reader(self, start: Callable[[tf.Tensor], Reader], used: tf.Tensor):
        """A reader of some of the streams.

        Args:
            start: function from strings to a reader of them.
            used: int32 `(b,)`, how many of each tile, at least 1. Missing ones are
                empty.
        """
        width = tf.reduce_max(used)
        missing = tf.maximum(width - tf.shape(self.strings)[1], 0)
        strings = tf.pad(self.strings, [[0, 0], [0, missing]])[:, :width]
        strings = tf.boolean_mask(strings, tf.sequence_mask(used, width))
        all_tiles = tf.ones_like(used, tf.bool)
        return SharedReader(start(strings), used, all_tiles, integers_max(used))


class SharedReader(NamedTuple):
    """Reads the symbols of several tiles; see `symbol_streams.SymbolReader`.

    The elements of a pass come tile after tile. Each tile has equally many, coded or
    not.

    Attributes:
        reader: of all streams, those of a tile one after the other.
        counts: int32 `(b,)`, streams of each tile.
        used: bool `(b,)`, tiles that calls read from.
        left: int32 `(b,)`, how many integers may still come. In a hostile file there
            may be more; they would keep the streams of all tiles in the loop.
    """

    reader: Reader
    counts: tf.Tensor
    used: tf.Tensor
    left: tf.Tensor

    def tiles_of(self, positions: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
        """The tile of each position, int32; a pass has `size` positions."""
        return positions // tf.maximum(size // tf.size(self.counts), 1)

    def of_tiles(self, used: tf.Tensor) -> "SharedReader":
        """Leaves out the tiles that are not used, bool `(b,)`."""
        return self._replace(used=used)

    def begin(self, are_coded: tf.Tensor) -> tuple:
        """The reader for a pass, and which of its elements it reads.

        Args:
            are_coded: bool `(n,)`, elements that tiles in use would read.
        """
        by_tile = tf.reshape(are_coded, [tf.size(self.counts), -1])
        by_tile &= self.used[:, None]
        left = self.left - tf.reduce_sum(tf.cast(by_tile, tf.int32), axis=1)
        by_tile &= (left >= 0)[:, None]
        return self._replace(left=left), tf.reshape(by_tile, [-1])

    def is_valid(self) -> tf.Tensor:
        """Whether the streams can have the integers so far, bool `(b,)`."""
        return self.left >= 0

    def get(self, rows: tf.Tensor, tiles: tf.Tensor) -> tuple:
        """Reads symbols.

        Args:
            rows: int32 `(n,)`.
            tiles: int32 `(n,)`, rising.

        Returns:
            The reader, and int32 `(n,)`.
        """
        size = tf.size(self.counts)
        in_tile = tf.math.bincount(tiles, minlength=size)
        place = tf.range(tf.size(rows)) - tf.gather(_before(in_tile), tiles)
        streams = tf.gather(self.counts, tiles)
        stream = tf.gather(_before(self.counts), tiles) + place % streams
        steps = -(-in_tile // self.counts)
        most = tf.reduce_max(steps)
        cell = stream * most + place // streams
        # Cells that are not filled are row 0, as in `symbol_streams.write`.
        filled = scatter_into_zeros(rows, cell, self.reader.streams() * most)
        filled = tf.reshape(filled, [-1, most])
        is_read = tf.sequence_mask(tf.repeat(steps, self.counts), most)
        reader, symbols = self.reader.read(tf.where(is_read, filled, STILL))
        symbols = tf.gather(tf.reshape(symbols, [-1]), cell)
        return self._replace(reader=reader), symbols

    def get_unsorted(self, rows: tf.Tensor, tiles: tf.Tensor) -> tuple:
        """The same where the tiles do not rise."""
        order = tf.argsort(tiles, stable=True)
        reader, symbols = self.get(tf.gather(rows, order), tf.gather(tiles, order))
        return reader, tf.gather(symbols, tf.math.invert_permutation(order))

    def get_flags(self) -> tuple:
        """Reads a flag of each tile: the reader, and bool `(b,)`."""
        tiles = tf.range(tf.size(self.counts))
        reader, symbols = self.get(tf.fill(tf.shape(tiles), FLAG_ROW), tiles)
        return reader, tf.equal(symbols, 1)


def _before(counts: tf.Tensor) -> tf.Tensor:
    """How many come before those of each tile."""
    return tf.cumsum(counts, exclusive=True)
