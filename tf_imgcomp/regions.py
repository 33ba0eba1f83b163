"""Rectangles of pixels in an image, and those that are its tiles.

Tiles are squares on a grid that begins in the upper left corner. Those at the right and
at the bottom end with the image. Their order is that of text: row by row.
"""

from __future__ import annotations

from typing import NamedTuple

from tf_imgcomp.errors import ImageError

TILE_STEP = 64  # In pixels. Sides of tiles are multiples of it.


class Region(NamedTuple):
    """A rectangle of pixels in an image.

    Attributes:
        top, left: int >= 0, its first row and column.
        height, width: int >= 1.
    """

    top: int
    left: int
    height: int
    width: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index of the region in an array `(h, w, ...)` of the image."""
        return (
            slice(self.top, self.top + self.height),
            slice(self.left, self.left + self.width),
        )

    def check_inside(self, height: int, width: int) -> None:
        """Raises an ImageError unless an image of this size contains the region."""
        fits = (
            min(self.top, self.left) >= 0
            and min(self.height, self.width) >= 1
            and self.top + self.height <= height
            and self.left + self.width <= width
        )
        if not fits:
            raise ImageError(
                f"the image of {width}x{height} pixels does not contain the region of "
                f"{self.width}x{self.height} pixels at {self.left},{self.top}"
            )

    def shared_with(self, other: Region) -> Region | None:
        """The pixels that are in both regions; None if there are none."""
        top, left = max(self.top, other.top), max(self.left, other.left)
        height = min(self.top + self.height, other.top + other.height) - top
        width = min(self.left + self.width, other.left + other.width) - left
        return Region(top, left, height, width) if min(height, width) > 0 else None

    def seen_from(self, other: Region) -> Region:
        """The same pixels, counted from the upper left corner of another region."""
        return self._replace(top=self.top - other.top, left=self.left - other.left)


def tile_count(height: int, width: int, side: int) -> int:
    """Number of an image's tiles.

    Args:
        height, width: of the image, in pixels.
        side: of a tile, in pixels; 0: the image is one tile.
    """
    return -(-height // side) * -(-width // side) if side else 1


def tile_region(number: int, height: int, width: int, side: int) -> Region:
    """The pixels of a tile.

    Args:
        number: of the tile, from 0.
        height, width, side: as in `tile_count`.
    """
    if not side:
        return Region(0, 0, height, width)
    row, column = divmod(number, -(-width // side))
    top, left = row * side, column * side
    return Region(top, left, min(side, height - top), min(side, width - left))
