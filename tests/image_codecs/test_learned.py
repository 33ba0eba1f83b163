"""Loading an exported codec and coding with it."""

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tests import tiny
from tests.golden import regenerate
from tf_imgcomp.codecs.registry import new_codec
from tf_imgcomp.errors import BitstreamError
from tf_imgcomp.export.codec import export
from tf_imgcomp.image_codecs import models
from tf_imgcomp.training.weights import round_to_half


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


def test_wrong_arguments_are_refused(codec):
    with pytest.raises(
        ValueError, match=r"Expected pixels uint8 \(h, w, 3\), received"
    ):
        codec.compress(np.zeros((4, 4), np.uint8), 50.0)
    with pytest.raises(
        ValueError, match="Expected a quality from 1 to 100, received 0"
    ):
        codec.compress(np.zeros((4, 4, 3), np.uint8), 0)


@pytest.mark.parametrize("change", ["fewer", "more"])
def test_strings_of_another_number_are_refused(codec, change):
    coded = codec.compress(regenerate.image(64, 64), 90.0)
    strings = {"fewer": coded.strings[:-1], "more": (*coded.strings, b"x")}[change]
    with pytest.raises(BitstreamError, match="do not decode"):
        codec.decompress(strings, 64, 64, coded.quality)


def test_strings_of_another_size_have_another_checksum(codec):
    coded = codec.compress(regenerate.image(64, 64), 90.0)
    _, checksum = codec.decompress(coded.strings, 128, 64, coded.quality)
    assert checksum != coded.checksum


_EITHER_ORDER = """
import sys
if sys.argv[2] == "before":
    import tensorflow_compression
import numpy as np
from tf_imgcomp.image_codecs import models
model = models.load(sys.argv[1])
assert ("tensorflow_compression" in sys.modules) == (sys.argv[2] == "before")
import tensorflow_compression
assert callable(tensorflow_compression.create_range_encoder)
image = np.zeros((8, 8, 3), np.uint8)
assert model.compress(image, 50.0).strings
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
    round_to_half(codec)  # As the export does.
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
