"""Every image codec codes complete files, as classical codecs do."""

import dataclasses
from inspect import signature

import numpy as np
import pytest
from PIL import Image

from tests.stub_codec import StubCodec
from tf_imgcomp import bitstream
from tf_imgcomp.classical import CODECS, FileCodec
from tf_imgcomp.classical.size_search import encode_within
from tf_imgcomp.errors import ModelError
from tf_imgcomp.evaluation.points import measure
from tf_imgcomp.image_codecs.classical import ClassicalImageCodec
from tf_imgcomp.image_codecs.interface import Coded, ImageCodec


@pytest.fixture
def codec():
    return StubCodec()


@pytest.mark.parametrize(
    "each", [StubCodec(), ClassicalImageCodec("bpg"), CODECS["avif"]]
)
def test_all_codecs_have_what_the_protocol_names(each):
    names = {name for name in vars(FileCodec) if not name.startswith("_")}
    assert names == {
        *("name", "title", "version", "settings", "all_settings"),
        *("available", "encode", "decode"),
    }
    assert all(hasattr(each, name) for name in names)
    for name in ("encode", "decode"):
        ours, theirs = (getattr(codec, name) for codec in (each, CODECS["bpg"]))
        assert list(signature(ours).parameters) == list(signature(theirs).parameters)


def test_a_file_holds_the_pixels_alone(codec, make_image):
    pixels = make_image(70, 90)
    data = codec.encode(pixels, 80)
    file = bitstream.unpack(data)
    assert Coded.of(file) == codec.compress(pixels, 80)
    assert (file.grey, file.alpha, file.blocks) == (False, None, ())
    assert (file.codec, file.fingerprint, file.tile) == ("stub", 0xABCD, 64)
    assert np.abs(codec.decode(data).astype(int) - pixels).max() <= 12


def test_grey_files_decode_to_equal_channels(codec, make_image):
    pixels = make_image(20, 30)
    file = bitstream.unpack(codec.encode(pixels, 80))
    colour = codec.from_file(file).astype(float)
    grey = codec.decode(bitstream.pack(dataclasses.replace(file, grey=True)))
    assert np.ptp(grey, axis=-1).max() == 0
    assert np.abs(grey - colour.mean(-1, keepdims=True)).max() <= 0.5


def test_files_of_other_weights_are_refused(codec, make_image):
    data = codec.encode(make_image(8, 8), 50)
    other = StubCodec()
    other.fingerprint = 1
    assert other.version != codec.version
    message = "needs model 'stub' with fingerprint 43981, the one here has 1"
    with pytest.raises(ModelError, match=message):
        other.decode(data)


def test_it_is_measured_and_searched_like_a_classical_codec(codec, make_image):
    pixels = make_image(70, 90)
    point = measure(codec, 50, "photo.png", pixels)
    assert (point.codec, point.num_bytes) == ("stub", len(codec.encode(pixels, 50)))
    setting, data = encode_within(codec, pixels, point.num_bytes)
    assert setting >= 50
    assert len(data) <= point.num_bytes


def test_a_codec_of_one_part_reduces_the_whole_for_a_preview(codec, make_image):
    coded = codec.compress(make_image(70, 91), 80)
    preview = ImageCodec.preview(codec, coded, 70, 91, 8)
    whole = Image.fromarray(codec.decompress(coded, 70, 91))
    np.testing.assert_array_equal(preview, whole.reduce(8))
    assert preview.shape == (9, 12, 3)
