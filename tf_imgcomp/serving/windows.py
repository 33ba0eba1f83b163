"""The tiles of an image and their surroundings in the graph; see `image_codecs.tiles`.

Places and sizes are int32 `(2,)`: rows, columns.
"""

from typing import NamedTuple

import tensorflow as tf

from tf_imgcomp.image_codecs.tiles import LATENT, STRIDE, Z_STRIDE


class Window(NamedTuple):
    """Part of a map.

    Attributes:
        start, stop: its first row and column, and those after its last ones.
    """

    start: tf.Tensor
    stop: tf.Tensor

    def of(self, x: tf.Tensor) -> tf.Tensor:
        """That part of a map `(h, w, c)`."""
        return x[self.start[0] : self.stop[0], self.start[1] : self.stop[1]]

    def grown(self, border: int, size: tf.Tensor) -> "Window":
        """With `border` positions around, as far as a map of this size reaches."""
        start = tf.maximum(self.start - border, 0)
        return Window(start, tf.minimum(self.stop + border, size))

    def times(self, factor: int) -> "Window":
        """The same part of a map that is `factor` times as large."""
        return Window(self.start * factor, self.stop * factor)

    def seen_from(self, other: "Window") -> "Window":
        """The same part, counted from the start of another window."""
        return Window(self.start - other.start, self.stop - other.start)

    def margins(self, inner: "Window") -> tf.Tensor:
        """Surroundings of a window inside: top, bottom, left, right, int32 `(4,)`."""
        around = tf.stack([inner.start - self.start, self.stop - inner.stop], axis=1)
        return tf.reshape(around, [-1])


class Grid(NamedTuple):
    """Tiles of a map, see `image_codecs.tiles.TileGrid`.

    Attributes:
        size: of the map.
        side: int, of a tile.
    """

    size: tf.Tensor
    side: int

    @property
    def shape(self) -> tf.Tensor:
        """Rows and columns of tiles."""
        return -(-self.size // self.side)

    def tile(self, number: tf.Tensor) -> Window:
        """Where a tile is."""
        columns = self.shape[1]
        start = tf.stack([number // columns, number % columns]) * self.side
        return Window(start, tf.minimum(start + self.side, self.size))

    def block(self, tile: tf.Tensor, number: tf.Tensor) -> tf.Tensor:
        """A tile `(h, w, c)`, cut and padded to one size of all tiles of the map."""
        window = self.tile(number)
        size = window.stop - window.start
        missing = self.block_size - size
        paddings = [[0, missing[0]], [0, missing[1]], [0, 0]]
        return tf.pad(tile[: size[0], : size[1]], paddings)

    def joined(self, blocks: tf.Tensor) -> tf.Tensor:
        """The map `(h, w, c)` of all blocks, `(tiles, ...)`."""
        (rows, columns), depth = tf.unstack(self.shape), blocks.shape[-1]
        height, width = tf.unstack(self.block_size)
        x = tf.reshape(blocks, [rows, columns, height, width, depth])
        x = tf.transpose(x, [0, 2, 1, 3, 4])
        x = tf.reshape(x, [rows * height, columns * width, depth])
        return x[: self.size[0], : self.size[1]]

    @property
    def block_size(self) -> tf.Tensor:
        """Rows and columns of the largest tile, int32 `(2,)`."""
        return tf.minimum(self.side, self.size)


class ImageTiles(NamedTuple):
    """See `image_codecs.tiles.ImageTiles`.

    Attributes:
        size: of the image in pixels.
        side: of a tile in pixels.
        border: latents around a tile that the synthesis sees.
    """

    size: tf.Tensor
    side: int
    border: int

    @property
    def pixels(self) -> Grid:
        """Tiles in pixels."""
        return Grid(self.size, self.side)

    @property
    def latents(self) -> Grid:
        """Tiles in latents."""
        return Grid(-(-self.size // STRIDE) * Z_STRIDE, self.side // LATENT)

    @property
    def count(self) -> tf.Tensor:
        """Number of tiles, int32 scalar."""
        return tf.reduce_prod(self.pixels.shape)

    def analysis_window(self, tile: tf.Tensor) -> tuple:
        """The pixels that the analysis sees; its surroundings in latents."""
        border = -(-self.border // Z_STRIDE) * Z_STRIDE
        inner = self.latents.tile(tile)
        seen = inner.grown(border, self.latents.size)
        return seen.times(LATENT), seen.margins(inner)

    def synthesis_window(self, tile: tf.Tensor) -> tuple:
        """The latents that the synthesis sees; its surroundings in latents."""
        inner = self.latents.tile(tile)
        seen = inner.grown(self.border, self.latents.size)
        return seen, seen.margins(inner)
