"""A small codec in tiles and two parts, for tests that need no trained one."""

import zlib

import numpy as np
from PIL import Image

from tf_imgcomp.errors import BitstreamError
from tf_imgcomp.image_codecs.interface import Coded, ImageCodec
from tf_imgcomp.regions import tile_count, tile_region

CARD = {
    "id": "stub",
    "fingerprint": 0xABCD,
    "bytes_per_pixel": 20.0,
    "tile": 64,
    "border": 0,
}


class StubCodec(ImageCodec):
    """Divides by a step that shrinks with quality, and deflates.

    The first part of a tile is its green channel; the second one is a checksum of all
    channels, and the others.
    """

    id = CARD["id"]
    fingerprint = CARD["fingerprint"]
    tile = CARD["tile"]

    def memory_to_compress(self, height, width):
        return CARD["bytes_per_pixel"] * height * width

    memory_to_decompress = memory_to_compress

    def compress(self, pixels, quality):
        symbols = pixels // self._step(quality)
        size = pixels.shape[:2]
        tiles = [
            symbols[tile_region(number, *size, self.tile).slices]
            for number in range(tile_count(*size, self.tile))
        ]
        return Coded(
            first=tuple(zlib.compress(tile[..., 1].tobytes()) for tile in tiles),
            rest=tuple(
                _checksum(t) + zlib.compress(t[..., ::2].tobytes()) for t in tiles
            ),
            quality=round(quality, 2),
        )

    def decompress(self, coded, height, width, region=None):
        if coded.rest is None:
            raise BitstreamError("the second part is missing")
        symbols = np.empty((height, width, 3), np.uint8)
        for number, (first, rest) in enumerate(zip(coded.first, coded.rest)):
            tile = tile_region(number, height, width, self.tile)
            shared = tile if region is None else tile.shared_with(region)
            if shared is None:
                continue  # Not decoded: it may be damaged.
            symbols[tile.slices] = _decode(first, rest, tile)
        step = self._step(coded.quality)
        pixels = symbols * step + step // 2
        return pixels if region is None else pixels[region.slices]

    def preview(self, coded, height, width, scale):
        green = np.empty((height, width), np.uint8)
        for number, first in enumerate(coded.first):
            tile = tile_region(number, height, width, self.tile)
            green[tile.slices] = _inflate(first, (tile.height, tile.width))
        image = Image.fromarray(green * self._step(coded.quality))
        return np.asarray(image.reduce(scale).convert("RGB"))

    @staticmethod
    def _step(quality):
        return np.uint8(103 - quality)


def _decode(first, rest, tile):
    checksum, rest = rest[:2], rest[2:]
    symbols = np.empty((tile.height, tile.width, 3), np.uint8)
    symbols[..., 1] = _inflate(first, (tile.height, tile.width))
    symbols[..., ::2] = _inflate(rest, (tile.height, tile.width, 2))
    if checksum != _checksum(symbols):
        raise BitstreamError("decoded to other latents than were encoded")
    return symbols


def _inflate(data, shape):
    try:
        return np.frombuffer(zlib.decompress(data), np.uint8).reshape(shape)
    except (zlib.error, ValueError) as error:
        raise BitstreamError("the streams do not decode") from error


def _checksum(symbols):
    return zlib.crc32(symbols.tobytes()).to_bytes(4, "little")[:2]
