"""Classical codecs in `.tfci` files: exact, and safe against damaged streams."""

import dataclasses

import numpy as np
import pytest

from tf_imgcomp import bitstream, metrics
from tf_imgcomp.classical import CODECS
from tf_imgcomp.errors import BitstreamError, ClassicalCodecError, ModelError
from tf_imgcomp.files import goals
from tf_imgcomp.image_codecs import models
from tf_imgcomp.image_codecs.classical import CLASSICAL_CODECS, ClassicalImageCodec
from tf_imgcomp.image_codecs.interface import Coded
from tf_imgcomp.image_files.images import Photo
from tf_imgcomp.regions import Region


@pytest.fixture(scope="module")
def codec():
    return ClassicalImageCodec("bpg")


@pytest.fixture
def get_classical():
    """Returns a codec by its name; skips the test if it is not available."""

    def get(name):
        if missing := CLASSICAL_CODECS[name].available():
            pytest.skip(missing)
        return ClassicalImageCodec(name)

    return get


@pytest.fixture
def coded(codec, make_image):
    """Of 16 x 24 pixels."""
    return codec.compress(make_image(16, 24), 50)


def test_the_file_has_one_tile_of_one_part_that_holds_the_stream(codec, make_image):
    pixels = make_image(33, 50)
    file = bitstream.unpack(codec.encode(pixels, 40))
    assert (file.tile, len(file.first), file.rest) == (0, 1, None)
    stream = file.first[0][2:]
    np.testing.assert_array_equal(codec.from_file(file), CODECS["bpg"].decode(stream))
    assert stream == CODECS["bpg"].encode(pixels, codec.setting(40))


def test_a_region_is_that_part_of_the_whole(codec, coded):
    whole = codec.decompress(coded, 16, 24)
    part = codec.decompress(coded, 16, 24, Region(3, 5, 7, 9))
    np.testing.assert_array_equal(part, whole[3:10, 5:14])


@pytest.mark.parametrize("goal", [{"max_bytes": 1200}, {"target_psnr": 30.0}])
def test_a_search_codes_once_at_each_qp(goal, make_image, monkeypatch):
    coded = []
    compress = ClassicalImageCodec.compress

    def counted(self, pixels, quality):
        coded.append(self.setting(quality))
        return compress(self, pixels, quality)

    monkeypatch.setattr(ClassicalImageCodec, "compress", counted)
    photo = Photo(make_image(60, 90))
    goals.encode(ClassicalImageCodec("bpg"), photo, goals.Goal(**goal))
    assert len(coded) == len(set(coded)) > 2


def test_streams_that_are_not_the_image_are_refused(codec, coded, make_image):
    other = codec.compress(make_image(16, 24, seed=1), 50).first[0]
    mixture = coded.first[0][:2] + other[2:]
    for first, height, message in (
        (coded.first, 17, "expected an image of 24x17 pixels, the stream has 24x16"),
        ((b"??nix",), 16, "the stream does not decode: "),
        ((b"?",), 16, "the stream does not decode: "),
        ((b"",), 16, "the stream does not decode: "),
        ((mixture,), 16, "decoded to other pixels than were encoded"),
        (coded.first * 2, 16, "expected one tile and one part"),
        ((), 16, "expected one tile and one part"),
    ):
        with pytest.raises(BitstreamError, match=f"^{message}"):
            codec.decompress(Coded(first, None, coded.quality), height, 24)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rest": (b"",)}, "^expected one tile and one part$"),
        ({"variant": 1}, "^expected variant 0, received 1$"),
    ],
)
def test_what_the_codec_does_not_write_is_refused(codec, coded, change, message):
    with pytest.raises(BitstreamError, match=message):
        codec.decompress(dataclasses.replace(coded, **change), 16, 24)


@pytest.mark.parametrize("name", CLASSICAL_CODECS)
def test_every_setting_has_a_quality_that_stands_for_it(name, monkeypatch):
    pixels = np.zeros((8, 8, 3), np.uint8)
    monkeypatch.setattr(type(CLASSICAL_CODECS[name]), "encode", lambda *_: b"")
    monkeypatch.setattr(type(CLASSICAL_CODECS[name]), "decode", lambda *_: pixels)
    codec = ClassicalImageCodec(name)
    found = set()
    for quality in np.arange(1, 100.05, 0.05):
        coded = codec.compress(pixels, quality)
        assert codec.setting(coded.quality) == codec.setting(quality)
        found.add(codec.setting(coded.quality))
    assert found == set(CLASSICAL_CODECS[name].all_settings)


@pytest.mark.parametrize("name", CLASSICAL_CODECS)
def test_each_codec_alone_is_a_model(name, make_image, get_classical):
    codec, pixels = get_classical(name), make_image(33, 50)
    data = codec.encode(pixels, 90)
    decoded = models.load_by_id(bitstream.unpack(data).codec).decode(data)
    assert metrics.psnr(pixels, decoded) > 22
    coarse = codec.encode(pixels, 10)
    if name == "webp_lossless":
        np.testing.assert_array_equal(decoded, pixels)
        assert (coarse, bitstream.unpack(data).quality) == (data, 100)
    else:
        assert len(coarse) < len(data)


@pytest.mark.parametrize("name", CLASSICAL_CODECS)
def test_another_size_is_refused_before_decoding(
    name, make_image, get_classical, monkeypatch
):
    codec = get_classical(name)
    coded = codec.compress(make_image(40, 24), 50)
    monkeypatch.delattr(type(CLASSICAL_CODECS[name]), "decode")
    message = "^expected an image of 1x1 pixels, the stream has 24x40$"
    with pytest.raises(BitstreamError, match=message):
        codec.decompress(coded, 1, 1)


def test_sides_over_the_limit_of_a_format_are_told():
    pixels = np.zeros((1, 20_000, 3), np.uint8)
    message = "^20000 x 1 pixels cannot be written as WEBP: "
    with pytest.raises(ClassicalCodecError, match=message):
        ClassicalImageCodec("webp").compress(pixels, 50)


def test_a_missing_library_is_told(monkeypatch):
    monkeypatch.setattr("PIL.features.check", lambda feature: False)
    with pytest.raises(ModelError, match="^codec 'avif': .* without avif support"):
        models.load("avif")
