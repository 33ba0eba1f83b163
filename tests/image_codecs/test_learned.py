"""Loading an exported codec and coding with it."""

import dataclasses
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from tests import tiny
from tests.golden import regenerate
from tests.image_codecs.conftest import TILE
from tf_imgcomp.codecs.registry import new_codec
from tf_imgcomp.errors import BitstreamError
from tf_imgcomp.export.codec import export
from tf_imgcomp.image_codecs import models, tile_parts
from tf_imgcomp.image_codecs.learned import LearnedCodec
from tf_imgcomp.image_codecs.tile_coding import TileModel
from tf_imgcomp.image_codecs.workers import Workers
from tf_imgcomp.image_files.images import read_image
from tf_imgcomp.regions import Region
from tf_imgcomp.training.weights import round_as_saved

KITTEN = Path(__file__).parents[2] / "examples" / "kitten.png"


@pytest.fixture(scope="module")
def codec(tiny_model):
    return models.load(str(tiny_model))


@pytest.mark.slow
@pytest.mark.parametrize("size", [(1, 1), (1, 100), (64, 64), (65, 63), (129, 31)])
def test_any_size_comes_back_in_its_size(codec, size):
    pixels = regenerate.image(*size)
    coded = codec.compress(pixels, 77.777)
    assert coded.quality == 77.78
    decoded = codec.decompress(coded, *size)
    assert decoded.shape == pixels.shape
    assert decoded.dtype == np.uint8


def test_the_same_image_gives_the_same_bytes(codec):
    pixels = regenerate.image(50, 60)
    assert codec.compress(pixels, 30.0) == codec.compress(pixels, 30.0)


def allocate_too_much():
    tf.zeros([1 << 45])  # 128 TiB: more than a process can address


def fail_in_onednn():
    raise tf.errors.AbortedError(None, None, "could not create a primitive")


@pytest.mark.parametrize("function", ["compress", "first", "rest", "synthesis"])
@pytest.mark.parametrize("fail", [allocate_too_much, fail_in_onednn])
def test_too_little_memory_is_a_memory_error(codec, tiny_model, function, fail):
    class Failing(TileModel):
        def load(self, part="."):
            return SimpleNamespace(
                **{**vars(super().load(part)), function: lambda **_: fail()}
            )

    failing = LearnedCodec(Failing(tiny_model), Workers(1))
    data = codec.encode(np.zeros((9, 9, 3), np.uint8), 50)
    calls = {"compress": lambda: failing.encode(np.zeros((9, 9, 3), np.uint8), 50)}
    with pytest.raises(MemoryError):
        calls.get(function, lambda: failing.decode(data))()


def test_wrong_arguments_are_refused(codec):
    with pytest.raises(
        ValueError, match=r"Expected pixels uint8 \(h, w, 3\), received"
    ):
        codec.compress(np.zeros((4, 4), np.uint8), 50.0)
    with pytest.raises(
        ValueError, match="Expected a quality from 1 to 100, received 0"
    ):
        codec.compress(np.zeros((4, 4, 3), np.uint8), 0)


def _other_streams(part, change):
    checksum, strings = tile_parts.unpack(part)
    return (tile_parts.pack(checksum, change(strings)),)


@pytest.mark.parametrize("part", ["first", "rest"])
def test_streams_of_another_number_are_refused(codec, part):
    coded = codec.compress(regenerate.image(64, 64), 90.0)
    (data,) = getattr(coded, part)
    more = {part: _other_streams(data, lambda strings: [*strings, b"x"])}
    with pytest.raises(BitstreamError, match="do not decode"):
        codec.decompress(dataclasses.replace(coded, **more), 64, 64)


@pytest.mark.parametrize("part", ["first", "rest"])
def test_other_latents_than_were_encoded_are_refused(codec, part):
    coded, other = (codec.compress(regenerate.image(64, 64), q) for q in (90.0, 80.0))
    with pytest.raises(BitstreamError, match="decoded to other latents|do not decode"):
        codec.decompress(
            dataclasses.replace(coded, **{part: getattr(other, part)}), 64, 64
        )


def test_an_image_of_another_size_is_refused(codec):
    coded = codec.compress(regenerate.image(64, 64), 90.0)
    with pytest.raises(BitstreamError, match="decoded to other latents|do not decode"):
        codec.decompress(coded, 128, 64)


@pytest.fixture(scope="module")
def photo():
    kitten = read_image(KITTEN).pixels
    return np.concatenate([kitten, kitten[::-1]])[:300, :280]


@pytest.fixture(scope="module")
def coded(tiled, photo):
    return tiled.compress(photo, 60.0)


@pytest.fixture(scope="module")
def decoded(tiled, coded, photo):
    return tiled.decompress(coded, *photo.shape[:2])


def _steps(pixels, original):
    """How much the error changes from row to row, where blocks of 16 rows meet.

    Returns:
        Mean squared differences in rows where tiles meet, and in those inside.
    """
    error = pixels.astype(np.float32) - original
    squares = np.mean(np.diff(error, axis=0) ** 2, (1, 2))
    rows = range(16, len(pixels), 16)
    borders = [squares[row - 1] for row in rows if row % TILE == 0]
    return borders, [squares[row - 1] for row in rows if row % TILE]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gradient", "photo"])
@pytest.mark.parametrize("turned", [False, True])
def test_there_are_no_seams(tiled, photo, name, turned, monkeypatch):
    image = photo
    if name == "gradient":
        rows, columns = np.mgrid[:300, :280]
        image = np.stack([rows // 2, columns // 2, (rows + columns) // 3], -1)
    image = np.uint8(image.swapaxes(0, 1) if turned else image)
    height, width, _ = image.shape
    decoded = tiled.decompress(tiled.compress(image, 60.0), height, width)
    borders, inside = _steps(decoded, image)
    assert max(borders) <= max(inside)
    monkeypatch.setattr(tiled, "tile", 1024)
    whole = tiled.decompress(tiled.compress(image, 60.0), height, width)
    assert np.mean(borders) < 1.05 * np.mean(_steps(whole, image)[0]) + 0.05


@pytest.mark.slow
def test_tiles_decode_to_nearly_what_the_whole_does(tiled, coded, decoded, photo):
    """At most one grey level, as the border promises."""
    y_hat = tiled.latents(coded, *photo.shape[:2])[0]
    nothing = np.zeros(4, np.int32)
    whole = tiled.model.synthesis(y_hat, nothing, coded.quality)[:300, :280]
    difference = np.abs(whole.astype(int) - decoded)
    assert difference.max() <= 1
    assert np.mean(difference > 0) < 1e-3


@pytest.mark.slow
@pytest.mark.parametrize(
    "region",
    [
        (0, 0, 300, 280),
        (0, 0, 1, 1),
        (299, 279, 1, 1),
        (127, 127, 2, 2),
        (5, 200, 9, 80),
    ],
)
def test_a_region_is_exactly_that_part(tiled, coded, decoded, photo, region):
    region = Region(*region)
    part = tiled.decompress(coded, *photo.shape[:2], region)
    np.testing.assert_array_equal(part, decoded[region.slices])


@pytest.mark.slow
def test_a_tile_is_coded_without_the_others(tiled, coded, photo):
    changed = photo.copy()
    changed[:60, :60] = 0  # Too far from other tiles for their analysis.
    other = tiled.compress(changed, 60.0)
    same = [a == b for a, b in zip(coded.first + coded.rest, other.first + other.rest)]
    assert same == [False, *[True] * 8] * 2


@pytest.mark.slow
def test_threads_do_not_change_files(tiled, coded, decoded, photo):
    one = LearnedCodec(tiled.model, Workers(1))
    assert one.compress(photo, 60.0) == coded
    again = one.decompress(coded, *photo.shape[:2])
    np.testing.assert_array_equal(again, decoded)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(1, 1), (1, 129), (129, 1), (128, 128), (129, 257)])
def test_sizes_next_to_those_of_tiles_come_back(tiled, size):
    pixels = regenerate.image(*size)
    coded = tiled.compress(pixels, 90.0)
    assert len(coded.first) == -(-size[0] // TILE) * -(-size[1] // TILE)
    decoded = tiled.decompress(coded, *size)
    assert decoded.shape == pixels.shape
    assert np.abs(decoded.astype(int) - pixels).mean() < 40  # Of random weights.


_EITHER_ORDER = """
import sys
if sys.argv[2] == "before":
    import tensorflow_compression
import numpy as np
from tf_imgcomp.image_codecs import models, tile_parts
from tf_imgcomp.image_codecs.learned import LearnedCodec
from tf_imgcomp.image_codecs.tile_coding import TileModel
from tf_imgcomp.image_codecs.workers import Workers
from tf_imgcomp.regions import Region
model = models.load(sys.argv[1])
assert ("tensorflow_compression" in sys.modules) == (sys.argv[2] == "before")
import tensorflow_compression
assert callable(tensorflow_compression.create_range_encoder)
image = np.zeros((8, 8, 3), np.uint8)
assert model.compress(image, 50.0).first
print("fine")
"""


@pytest.mark.slow
@pytest.mark.parametrize("order", ["before", "after"])
def test_models_load_before_and_after_the_range_coders_package(order, tiny_model):
    run = subprocess.run(
        [sys.executable, "-I", "-c", _EITHER_ORDER, str(tiny_model), order],
        capture_output=True,
        text=True,
    )
    assert run.stdout.split()[-1:] == ["fine"], run.stderr


@pytest.mark.slow
def test_a_codec_with_an_importance_map_gives_it_out(tmp_path):
    codec = tiny.random_codec(name="mfca_pmcn")
    round_as_saved(codec)  # As the export does.
    export(codec, tmp_path / "mapped", {})
    loaded = models.load(str(tmp_path / "mapped"))
    image, low, high = regenerate.image(65, 100), 20.0, 90.0
    importance = loaded.importance(image, low)
    _, (expected,) = codec.analysis_and_importance(image[None], tf.constant([low]))
    assert importance.shape == (8, 8)
    np.testing.assert_allclose(importance, expected, atol=1e-5)
    assert np.any(loaded.importance(image, high) != importance)


def test_a_codec_without_an_importance_map_has_none(codec):
    assert codec.importance(regenerate.image(8, 8), 50.0) is None
    sizes = {**tiny.sizes("mfca_pmcn"), "importance": False}
    unmapped = new_codec("mfca_pmcn", sizes)
    _, importance = unmapped.analysis_and_importance(
        regenerate.image(8, 8)[None], tf.constant([50.0])
    )
    assert importance is None
