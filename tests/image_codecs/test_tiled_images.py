"""Images of any size in tiles: no seams, any region, any number of threads."""

import threading
import time

import numpy as np
import pytest

from tests.image_codecs.stub_model import REACH, StubTileModel
from tf_imgcomp.errors import BitstreamError
from tf_imgcomp.image_codecs.learned import LearnedCodec
from tf_imgcomp.image_codecs.tiles import ImageTiles
from tf_imgcomp.image_codecs.workers import Workers
from tf_imgcomp.regions import Region

SIZES = [(1, 1), (64, 64), (65, 1), (1, 65), (129, 200), (257, 70)]


def _codec(tile=64, threads=2, **sizes):
    return LearnedCodec(StubTileModel(tile, **sizes), Workers(threads))


@pytest.mark.parametrize("size", SIZES)
def test_tiles_decode_to_what_the_whole_does(size, make_image):
    pixels = make_image(*size)
    whole, tiled = _codec(tile=1024), _codec()
    coded = tiled.compress(pixels, 50)
    assert len(coded.first) == len(coded.rest) == -(-size[0] // 64) * -(-size[1] // 64)
    expected = whole.decompress(whole.compress(pixels, 50), *size)
    np.testing.assert_array_equal(tiled.decompress(coded, *size), expected)


def test_without_surroundings_there_are_seams(make_image):
    """What the test above would find."""
    pixels = make_image(129, 200)
    whole, alone = _codec(tile=1024), _codec(border=0)
    expected = whole.decompress(whole.compress(pixels, 50), 129, 200)
    decoded = alone.decompress(alone.compress(pixels, 50), 129, 200)
    assert (decoded != expected).any()


@pytest.mark.parametrize(
    "region",
    [
        (0, 0, 200, 129),
        (0, 0, 1, 1),
        (128, 199, 1, 1),
        (63, 63, 2, 2),
        (10, 70, 119, 50),
        (20, 30, 30, 20),
    ],
)
@pytest.mark.parametrize("reach", [None, REACH])
def test_a_region_is_that_part_of_the_whole(region, reach, make_image):
    codec, pixels = _codec(tile=128, reach=reach), make_image(200, 257)
    coded, region = codec.compress(pixels, 50), Region(*region)
    whole = codec.decompress(coded, 200, 257)
    part = codec.decompress(coded, 200, 257, region)
    np.testing.assert_array_equal(part, whole[region.slices])


def test_a_region_decodes_only_tiles_around_it(make_image):
    codec = _codec()
    coded = codec.compress(make_image(320, 320), 50)
    needed = [6, 7, 8, 11, 12, 13, 16, 17, 18]
    damaged = [part if tile in needed else b"" for tile, part in enumerate(coded.first)]
    expected = codec.decompress(coded, 320, 320, Region(130, 130, 60, 60))
    coded = type(coded)(tuple(damaged), coded.rest, coded.quality)
    part = codec.decompress(coded, 320, 320, Region(130, 130, 60, 60))
    np.testing.assert_array_equal(part, expected)
    with pytest.raises(BitstreamError, match="cut"):
        codec.decompress(coded, 320, 320, Region(130, 130, 63, 64))


def test_a_region_decodes_no_neighbours_beyond_the_reach(make_image):
    codec = _codec(tile=128, reach=REACH)
    coded = codec.compress(make_image(384, 384), 50)
    region = Region(180, 176, 32, 48)  # Two latents and more inside of tile 4.
    expected = codec.decompress(coded, 384, 384, region)
    only = [part if tile == 4 else b"" for tile, part in enumerate(coded.first)]
    coded = _replaced(coded, first=tuple(only))
    part = codec.decompress(coded, 384, 384, region)
    np.testing.assert_array_equal(part, expected)
    with pytest.raises(BitstreamError, match="cut"):
        codec.decompress(coded, 384, 384, Region(180, 144, 32, 48))


def test_any_number_of_threads_gives_the_same(make_image):
    pixels, results = make_image(200, 257), []
    for threads in (1, 2, 5):
        codec = _codec(threads=threads)
        coded = codec.compress(pixels, 50)
        results.append((coded, codec.decompress(coded, 200, 257).tobytes()))
    assert results[0] == results[1] == results[2]


def test_a_changed_pixel_changes_the_tiles_that_see_it(make_image):
    """Entropy coding of a tile knows nothing of the others."""
    codec, pixels = _codec(), make_image(320, 320)
    changed = pixels.copy()
    changed[130:180, 130:180] ^= 255
    before, after = (codec.compress(each, 50) for each in (pixels, changed))
    differ = [a != b for a, b in zip(before.first, after.first)]
    assert [tile for tile, other in enumerate(differ) if other] == [
        *(6, 7, 8, 11, 12, 13, 16, 17, 18)
    ]


def test_latents_and_importance_are_those_of_the_whole(make_image):
    pixels, tiled, whole = make_image(129, 200), _codec(), _codec(tile=1024)
    latents, importance = (
        [
            codec.latents(codec.compress(pixels, 50), 129, 200),
            codec.importance(pixels, 50),
        ]
        for codec in (tiled, whole)
    )
    assert latents[0].shape == (1, 12, 16, 3)
    assert importance[1].shape == (12, 16)
    np.testing.assert_array_equal(latents[0], importance[0])
    np.testing.assert_array_equal(latents[1], importance[1])


def test_wrong_numbers_of_tiles_are_refused(make_image):
    codec = _codec()
    coded = codec.compress(make_image(65, 65), 50)
    with pytest.raises(BitstreamError, match="^expected 2 tiles, received 4$"):
        codec.decompress(coded, 64, 65)
    for other, message in (
        ({"rest": coded.rest[:3]}, "^expected 4 tiles, received 3$"),
        ({"variant": 1}, "^expected variant 0, received 1$"),
    ):
        with pytest.raises(BitstreamError, match=message):
            codec.decompress(_replaced(coded, **other), 65, 65)
    with pytest.raises(BitstreamError, match="the second part is missing"):
        codec.decompress(_replaced(coded, rest=None), 65, 65)


def test_an_error_in_a_tile_ends_all(make_image, monkeypatch):
    codec = _codec()
    coded = codec.compress(make_image(640, 640), 50)
    rest = list(coded.rest)
    rest[3] = rest[3][:-1] + bytes([rest[3][-1] ^ 1])
    decode, calls = StubTileModel.decode, []

    def counted(self, *arguments):
        calls.append(arguments)
        return decode(self, *arguments)

    monkeypatch.setattr(StubTileModel, "decode", counted)
    with pytest.raises(BitstreamError, match="decoded to other latents"):
        codec.decompress(_replaced(coded, rest=tuple(rest)), 640, 640)
    assert len(calls) < 10


def test_an_interruption_does_not_wait_for_tiles(make_image, monkeypatch):
    """The second tile takes forever; progress stands in for a signal."""
    released = threading.Event()
    compress, calls = StubTileModel.compress, []

    def slow(self, *arguments):
        calls.append(arguments)
        released.wait(10 if len(calls) == 2 else 0)
        return compress(self, *arguments)

    def interrupted(tiles):
        for tile in tiles:
            if tile == 3:
                raise KeyboardInterrupt
            yield tile

    monkeypatch.setattr(StubTileModel, "compress", slow)
    codec = LearnedCodec(StubTileModel(), Workers(2, interrupted))
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        codec.compress(make_image(640, 640), 50)
    assert time.monotonic() - start < 5
    assert len(calls) <= 3
    released.set()


def test_memory_grows_with_the_picture_alone():
    codec = _codec(tile=1024)
    small, large, larger = (
        codec.memory_to_compress(n, n) for n in (100, 10_000, 20_000)
    )
    assert small == 3000 + 8 * 100**2 + 10 * 128**2  # Padded.
    window = 1024 + 2 * 16 * 2
    assert large == 3000 + 8 * 10_000**2 + 10 * 2 * window**2
    assert larger - large == 8 * (20_000**2 - 10_000**2)


def test_memory_of_thin_pictures_counts_their_padding():
    codec, window = _codec(tile=1024), 1024 + 2 * 16 * 2
    for size in ((1, 65_000), (65_000, 1)):
        working = codec.memory_to_decompress(*size) - 2000 - 8 * 65_000
        assert working == 10 * 2 * 64 * window


def test_memory_has_the_base_of_each_direction():
    codec = _codec(tile=1024)
    for size in ((1, 1), (5000, 3000)):
        encoder, decoder = (
            memory(*size)
            for memory in (codec.memory_to_compress, codec.memory_to_decompress)
        )
        assert encoder - decoder == 3000 - 2000


@pytest.mark.parametrize("size", [(1, 1), (70, 1100), (1100, 1300), (5000, 2100)])
@pytest.mark.parametrize("threads", [1, 2, 3, 9])
def test_memory_is_that_of_the_largest_windows(size, threads):
    tiles = ImageTiles(*size, 1024, 2)
    windows = (tiles.latents.window(n, 2) for n in range(tiles.pixels.num_tiles))
    areas = sorted((window.height * window.width for window in windows), reverse=True)
    assert tiles.pixels_at_once(threads) == 16**2 * sum(areas[:threads])


def test_memory_of_an_immense_header_is_told_at_once():
    assert ImageTiles(2**61, 2**61, 64, 4).pixels_at_once(3) == 3 * (64 + 2 * 64) ** 2


def test_progress_counts_the_tiles_of_large_images(make_image):
    seen = []
    workers = Workers(1, lambda tiles: seen.append(len(tiles)) or tiles)
    codec = LearnedCodec(StubTileModel(), workers)
    codec.decompress(codec.compress(make_image(64, 64), 50), 64, 64)
    assert seen == []
    codec.decompress(codec.compress(make_image(100, 150), 50), 100, 150)
    assert seen == [6, 6]


def _replaced(coded, **fields):
    return type(coded)(**{**vars(coded), **fields})
