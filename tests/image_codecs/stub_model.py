"""A stub of a learned codec's model, in NumPy, in which all is exact."""

import zlib

import numpy as np

from tf_imgcomp.errors import BitstreamError
from tf_imgcomp.image_codecs import tile_parts
from tf_imgcomp.image_codecs.interface import Coded

REACH = 2  # Latents around a position that each of the transforms sees.


class StubTileModel:
    """See `image_codecs.tile_coding.TileModel`; latents are blurred means of blocks."""

    id, fingerprint, card = "stub", 7, {}
    bytes_per_pixel, encoder_base, decoder_base = 10.0, 3000.0, 2000.0
    has_importance = True

    def __init__(self, tile=64, border=REACH, reach=None):
        self.tile, self.border, self.reach = tile, border, reach

    def compress(self, pixels, crop, quality):
        y = self.analysis(pixels, crop, quality)["y"][0].astype(np.int16)
        parts = [y[..., :1].tobytes(), y[..., 1:].tobytes()]
        first, rest = (
            tile_parts.pack(zlib.crc32(part) & 0xFFFF, [part]) for part in parts
        )
        return Coded((first,), (rest,), round(quality, 2))

    def analysis(self, pixels, crop, quality):
        del quality
        padding = [(0, -size % 64) for size in pixels.shape[:2]]
        padded = np.pad(pixels, [*padding, (0, 0)], "edge").astype(np.int64)
        rows, columns = (size // 16 for size in padded.shape[:2])
        blocks = padded.reshape(rows, 16, columns, 16, 3).sum((1, 3)) // 64
        top, bottom, left, right = crop
        y = _blurred(blocks)[top : rows - bottom, left : columns - right]
        return {
            "y": y[None].astype(np.float32),
            "importance": y[..., 0] / np.float32(1e4),
        }

    def decode(self, first, rest, rows, columns, quality):
        del quality
        parts = []
        for data in (first, rest):
            checksum, (part,) = tile_parts.unpack(data)
            if zlib.crc32(part) & 0xFFFF != checksum:
                raise BitstreamError("decoded to other latents than were encoded")
            parts.append(np.frombuffer(part, np.int16).reshape(rows, columns, -1))
        return np.concatenate(parts, -1)

    def synthesis(self, y_hat, crop, quality):
        del quality
        rows, columns = y_hat.shape[:2]
        top, bottom, left, right = crop
        blurred = _blurred(y_hat.astype(np.int64))
        y = blurred[top : rows - bottom, left : columns - right]
        return np.repeat(np.repeat(y, 16, 0), 16, 1).astype(np.uint8)


def _blurred(x):
    """The mean over 5x5 positions, whole numbers; the edges are repeated."""
    height, width = x.shape[:2]
    x = np.pad(x, [(REACH, REACH), (REACH, REACH), (0, 0)], "edge")
    span = range(2 * REACH + 1)
    return sum(x[i : i + height, j : j + width] for i in span for j in span) // 25
