"""A serving export against the native one, in a process without TensorFlow's Python."""

import io
import json

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorflow.core.framework.op_def_pb2 import OpList

from tests.serving.server import meta_graph, run, strings
from tf_imgcomp import bitstream

pytestmark = pytest.mark.slow

QUALITY = 47.5


def _file(pixels, format_="PNG", **options) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format_, **options)
    return stream.getvalue()


def _pixels(data) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


def _qualities(count: int) -> np.ndarray:
    return np.full(count, QUALITY, np.float32)


def _assert_alike(found, expected):
    """Pixels may differ by one grey level."""
    assert found.shape == expected.shape
    assert np.abs(found.astype(int) - expected).max() <= 1


@pytest.fixture(scope="module")
def images(make_large_image):
    """One tile, several tiles, an odd size."""
    return [make_large_image(*size) for size in ((64, 64), (130, 200), (17, 65))]


@pytest.fixture(scope="module")
def make_large_image():
    def make(height, width):
        rows, columns = np.mgrid[:height, :width]
        waves = [np.sin(rows / 9 + columns / scale) for scale in (7, 12, 30)]
        noise = np.random.default_rng(height).normal(scale=6, size=(height, width, 1))
        pixels = 128 + 90 * np.stack(waves, axis=-1) + noise
        return np.clip(pixels, 0, 255).astype(np.uint8)

    return make


@pytest.fixture(scope="module")
def results(serving_folder, native, images, tmp_path_factory):
    """What the server's process returns for all calls of the tests below."""
    files = [_file(pixels) for pixels in images]
    grey, jpeg = _file(images[1][..., 0]), _file(images[1], "JPEG", quality=90)
    bad = [b"", b"no image", files[1][:-300], _file(np.zeros((300, 200), np.uint8))]
    sources = strings(*files, grey, jpeg, *bad)
    qualities = _qualities(len(sources))
    coded = [native.encode(pixels, QUALITY) for pixels in images]
    damaged = bytearray(coded[0])
    damaged[60] ^= 1
    calls = [
        ("compress", {"images": sources, "quality": qualities}),
        (
            "compress",
            {
                "images": strings(files[0], files[0], files[0]),
                "quality": np.array([0.5, np.nan, 100], np.float32),
            },
        ),
        ("decompress", {"files": strings(*coded, bytes(damaged), coded[1][:-1])}),
        ("decompress", {"files": strings(bytes(damaged), b"")}),
        ("decompress", {"files": strings()}),
    ]
    folder = tmp_path_factory.mktemp("calls")
    names = ("good", "qualities", "back", "only bad", "none")
    return dict(zip(names, run(serving_folder, calls, folder)))


def test_all_operations_are_those_of_tensorflow(serving_folder, tmp_path):
    """Loading would tell, but for functions that are not called."""
    run(serving_folder, [], tmp_path)
    known = OpList.FromString((tmp_path / "operations").read_bytes()).op
    graph = meta_graph(serving_folder).graph_def
    functions = graph.library.function
    nodes = [*graph.node, *(node for each in functions for node in each.node_def)]
    own = {each.signature.name for each in functions}
    assert {node.op for node in nodes} - own <= {each.name for each in known}


def test_files_are_those_of_the_native_export(results, native, images):
    for pixels, file in zip(images, results["good"]["files_bytes"]):
        assert file == native.encode(pixels, QUALITY)


def test_bits_per_pixel_are_those_of_the_files(results, images):
    good = results["good"]
    for pixels, file, bpp in zip(images, good["files_bytes"], good["bpp"]):
        assert bpp == pytest.approx(8 * len(file) / (pixels.size // 3))


def test_grey_images_stay_grey(results):
    file = bitstream.unpack(results["good"]["files_bytes"][3])
    assert file.grey
    assert not bitstream.unpack(results["good"]["files_bytes"][4]).grey


def test_each_bad_image_has_its_own_error(results):
    good = results["good"]
    assert good["error"].tolist() == [
        *[b""] * 5,
        b"not a JPEG or PNG image",
        b"not a JPEG or PNG image",
        b"damaged image",
        b"too large: over 50000 pixels padded to multiples of 64",
    ]
    assert good["files_bytes"][5:].tolist() == [b""] * 4
    assert good["bpp"][5:].tolist() == [0] * 4


def test_qualities_are_checked(results):
    errors = results["qualities"]["error"].tolist()
    assert errors == [*[b"expected a quality from 1 to 100"] * 2, b""]


def test_native_files_decode_to_the_native_pixels(results, native, images):
    for pixels, image in zip(images, results["back"]["images_bytes"]):
        expected = native.decode(native.encode(pixels, QUALITY))
        _assert_alike(_pixels(image), expected)


def test_each_damaged_file_has_its_own_error(results):
    *sound, damaged, cut = results["back"]["error"].tolist()
    assert sound == [b""] * 3
    assert damaged == b"damaged: the checksum does not match"
    assert cut == b"cut: bytes are missing at its end"


def test_a_batch_may_have_no_good_file(results):
    assert all(results["only bad"]["error"].tolist())
    assert results["only bad"]["images_bytes"].tolist() == [b"", b""]
    assert [len(output) for output in results["none"].values()] == [0, 0]


def test_tiles_are_coded_as_in_files(serving_folder, native, images, tmp_path):
    """The signatures for clients that cut images themselves."""
    pixels = images[1]
    tiles = native.tiles(*pixels.shape[:2])
    coded = native.compress(pixels, QUALITY)
    latents = native.latents(coded, *pixels.shape[:2])[0]
    window, crop = tiles.analysis_window(0)
    seen, margins = tiles.synthesis_window(0)
    area = tiles.latents.tile(0)
    calls = [
        (
            "compress_tiles",
            {
                "images": np.stack([pixels[window.slices]] * 2),
                "crop": np.stack([crop, crop + 99]).astype(np.int32),
                "quality": _qualities(2),
            },
        ),
        (
            "decode_tiles",
            {
                "first": strings(*coded.first, coded.first[0]),
                "rest": strings(*coded.rest, coded.rest[1]),
                **_sizes(tiles),
                "quality": _qualities(len(coded.first) + 1),
            },
        ),
        (
            "synthesize_tiles",
            {"y_hat": latents[seen.slices][None], "quality": _qualities(1)},
        ),
    ]
    strings_, decoded, made = run(serving_folder, calls, tmp_path)
    assert strings_["first"].tolist() == [coded.first[0], b""]
    assert strings_["rest"].tolist() == [coded.rest[0], b""]
    assert strings_["error"][1].startswith(b"expected a crop")
    for number, y_hat in enumerate(decoded["y_hat"][:-1]):
        expected = latents[tiles.latents.tile(number).slices]
        height, width = expected.shape[:2]
        np.testing.assert_array_equal(y_hat[:height, :width], expected)
    *good, mixed = decoded["error"].tolist()
    assert set(good) == {b""}
    assert mixed == b"decoded to other latents than were encoded"
    top, _, left, _ = 16 * margins
    whole = native.decompress(coded, *pixels.shape[:2])
    image = made["images"][0][top:, left:][: 16 * area.height, : 16 * area.width]
    _assert_alike(image, whole[: 16 * area.height, : 16 * area.width])


def test_a_call_with_too_many_tiles_fails(serving_folder):
    """A request of many empty strings would ask for much memory."""
    decode = tf.saved_model.load(str(serving_folder)).signatures["decode_tiles"]
    nothing, four = tf.fill([1000], ""), tf.fill([1000], 4)
    inputs = {"first": nothing, "rest": nothing, "rows": four, "columns": four}
    with pytest.raises(tf.errors.InvalidArgumentError, match="pixels in one call"):
        decode(**inputs, quality=tf.fill([1000], 60.0))


@pytest.mark.parametrize("empty", ["batch", "tiles"])
def test_a_call_without_pixels_says_so(serving_folder, empty, tmp_path):
    count, side = (0, 4) if empty == "batch" else (1, 0)
    latents = np.zeros((count, side, side, 24), np.float32)
    tiles = np.zeros((count, 16 * side, 16 * side, 3), np.uint8)
    crop, quality = np.zeros((count, 4), np.int32), {"quality": _qualities(count)}
    calls = [
        ("compress_tiles", {"images": tiles, "crop": crop, **quality}),
        ("synthesize_tiles", {"y_hat": latents, **quality}),
        (
            "preview_tiles",
            {
                "y_hat": latents[..., :8],
                "factor": np.full(count, 8, np.int32),
                **quality,
            },
        ),
    ]
    if empty == "batch":
        nothing, sizes = strings(), np.zeros(0, np.int32)
        part = {"first": nothing, "rows": sizes, "columns": sizes, **quality}
        calls.append(("decode_first_tiles", part))
        calls.append(("decode_tiles", {"rest": nothing, **part}))
    for error in run(serving_folder, calls, tmp_path):
        assert "empty: no pixels in this call" in error


def test_previews_are_those_of_the_native_export(
    serving_folder, native, images, tmp_path
):
    pixels = images[0]
    coded = native.compress(pixels, QUALITY)
    part = {
        "first": strings(*coded.first, coded.rest[0]),
        "rows": np.full(2, 4, np.int32),
        "columns": np.full(2, 4, np.int32),
        "quality": _qualities(2),
    }
    (decoded,) = run(serving_folder, [("decode_first_tiles", part)], tmp_path)
    assert decoded["error"].tolist() == [
        b"",
        b"decoded to other latents than were encoded",
    ]
    previews = {
        "y_hat": np.repeat(decoded["y_hat"][:1], 3, axis=0),
        "quality": _qualities(3),
        "factor": np.array([2, 8, 3], np.int32),
    }
    (made,) = run(serving_folder, [("preview_tiles", previews)], tmp_path)
    assert made["error"].tolist() == [
        b"",
        b"",
        b"expected a factor of 1, 2, 4, 8 or 16",
    ]
    for image, factor in zip(made["images"], (2, 8)):
        expected = native.preview(coded, *pixels.shape[:2], factor)
        height, width, _ = expected.shape
        _assert_alike(image[:height, :width], expected)
        assert not image[height:].any()


def test_the_card_is_given_to_who_names_the_model(serving_folder, native, tmp_path):
    (told,) = run(
        serving_folder, [("card", {"ids": strings(b"tiny", b"other")})], tmp_path
    )
    assert told["error"].tolist() == [b"", b"this model is tiny"]
    card = json.loads(told["cards"][0])
    assert card["fingerprint"] == native.fingerprint
    assert told["cards"][1] == b""


def _sizes(tiles) -> dict:
    """Rows and columns of all tiles, and of the first one again."""
    numbers = [*range(tiles.pixels.num_tiles), 0]
    regions = [tiles.latents.tile(number) for number in numbers]
    return {
        "rows": np.array([region.height for region in regions], np.int32),
        "columns": np.array([region.width for region in regions], np.int32),
    }
