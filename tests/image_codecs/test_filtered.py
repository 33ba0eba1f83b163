"""A codec with a filter as one codec: never worse, and safe against damaged files."""

import shutil

import numpy as np
import pytest
from PIL import Image

from tests import tiny
from tf_imgcomp import metrics
from tf_imgcomp.classical import bpg
from tf_imgcomp.data.images import Photo
from tf_imgcomp.errors import BitstreamError, ClassicalCodecError, ModelError
from tf_imgcomp.export.postfilter import export
from tf_imgcomp.files import bitstream, compression, encoding, goals
from tf_imgcomp.image_codecs import models
from tf_imgcomp.image_codecs.classical import QPS, ClassicalImageCodec
from tf_imgcomp.image_codecs.filtered import SavedFilter

CARD = {"postfilter": "xue2019", "sizes": tiny.FILTER_SIZES}


@pytest.fixture(scope="module")
def folders(tmp_path_factory, tiny_model):
    """A folder of models: two filters, and the codec of one of them."""
    folder = tmp_path_factory.mktemp("models")
    shutil.copytree(tiny_model, folder / "tiny")
    export(tiny.random_filter(), folder / "bpg+noise", CARD)
    shutil.copytree(folder / "bpg+noise", folder / "tiny+noise")
    card = folder / "tiny+noise" / "card.json"
    card.write_text(card.read_text().replace("bpg+noise", "tiny+noise"))
    return folder


@pytest.fixture(scope="module", params=["bpg+noise", "tiny+noise"])
def codec(request, folders):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TF_IMGCOMP_MODELS", str(folders))
        return models.load_by_id(request.param)


def _round_trip(codec, photo, goal):
    data = goals.encode(codec, photo, goal).data
    file = bitstream.unpack(data)
    assert (file.codec, file.fingerprint) == (codec.id, codec.fingerprint)
    return file, encoding.decode(codec, file)


def test_a_filter_that_harms_is_left_out(codec, folders, make_image):
    photo = Photo(make_image(33, 50))
    file, decoded = _round_trip(codec, photo, goals.Goal(quality=40))
    assert file.strings[0] == b"\0"
    name = codec.id.partition("+")[0]
    alone = (
        ClassicalImageCodec(name) if name in QPS else models.load(str(folders / name))
    )
    coded = alone.compress(photo.pixels, 40)
    plain, _ = alone.decompress(coded.strings, 33, 50, coded.quality)
    np.testing.assert_array_equal(decoded.pixels, plain)


def test_the_quality_reported_is_the_one_that_the_codec_has(
    codec, make_image, tmp_path
):
    source, target = tmp_path / "photo.png", tmp_path / "photo.tfci"
    Image.fromarray(make_image(20, 30)).save(source)
    report = compression.compress_file(codec, source, target, goals.Goal(quality=25))
    # 24.29 is QP 39; learned codecs have every hundredth.
    assert report.quality == (24.29 if codec.id.startswith("bpg") else 25)


def test_a_search_for_a_size_ends_with_the_filter(codec, make_image, monkeypatch):
    photo = Photo(make_image(60, 90))
    monkeypatch.setattr(SavedFilter, "__call__", lambda self, pixels, *_: photo.pixels)
    data = goals.encode(codec, photo, goals.Goal(max_bytes=1200)).data
    assert bitstream.unpack(data).strings[0] == b"\1"
    assert 600 < len(data) <= 1200


def test_trials_are_as_long_and_filter_nothing(codec, make_image, monkeypatch):
    pixels = make_image(60, 90)
    coded = codec.compress(pixels, 50)
    monkeypatch.delattr(SavedFilter, "__call__")
    trial = codec.for_trials().compress(pixels, 50)
    assert list(map(len, trial.strings)) == list(map(len, coded.strings))


def test_a_filter_that_helps_is_used(codec, make_image, monkeypatch):
    photo = Photo(make_image(20, 30))
    monkeypatch.setattr(SavedFilter, "__call__", lambda self, pixels, *_: photo.pixels)
    file, decoded = _round_trip(codec, photo, goals.Goal(quality=10))
    assert file.strings[0] == b"\1"
    np.testing.assert_array_equal(decoded.pixels, photo.pixels)


@pytest.mark.parametrize(("ensemble", "flag"), [("rotations", b"\2"), ("flips", b"\3")])
def test_a_mean_that_helps_is_used(codec, ensemble, flag, make_image, monkeypatch):
    photo = Photo(make_image(20, 30))

    def filter_(self, pixels, setting, way):
        return photo.pixels if way == ensemble else pixels

    monkeypatch.setattr(SavedFilter, "__call__", filter_)
    file, _ = _round_trip(codec, photo, goals.Goal(quality=10))
    assert file.strings[0] == b"\0"
    file, decoded = _round_trip(
        codec.with_ensemble(ensemble), photo, goals.Goal(quality=10)
    )
    assert file.strings[0] == flag
    np.testing.assert_array_equal(decoded.pixels, photo.pixels)


@pytest.mark.parametrize(
    "goal", [goals.Goal(target_psnr=19.0), goals.Goal(max_bytes=1500)], ids=str
)
def test_goals_are_reached(codec, goal, make_image):
    photo = Photo(make_image(64, 64))
    data = goals.encode(codec, photo, goal).data
    decoded = encoding.decode(codec, bitstream.unpack(data)).pixels
    if goal.max_bytes:
        assert len(data) <= 1500
    else:
        assert metrics.psnr(photo.pixels, decoded) >= 19


@pytest.mark.parametrize("flag", [b"", b"\4", b"\0\0"])
def test_other_flags_are_refused(codec, flag, make_image):
    coded = codec.compress(make_image(16, 16), 50)
    with pytest.raises(BitstreamError, match="expected a flag of 0 to 3, received"):
        codec.decompress((flag, *coded.strings[1:]), 16, 16, coded.quality)


def test_decoding_needs_no_encoder(folders, monkeypatch, make_image):
    monkeypatch.setenv("TF_IMGCOMP_MODELS", str(folders))
    codec = models.load_by_id("bpg+noise")
    coded = codec.compress(make_image(16, 16), 50)

    def fail(*_):
        raise ClassicalCodecError("no encoder here")

    monkeypatch.setattr(bpg.BpgCodec, "encode", fail)
    codec.decompress(coded.strings, 16, 16, coded.quality)


def test_a_filter_without_its_codec_says_so(folders, tmp_path, monkeypatch):
    shutil.copytree(folders / "tiny+noise", tmp_path / "tiny+noise")
    monkeypatch.setenv("TF_IMGCOMP_MODELS", str(tmp_path))
    with pytest.raises(ModelError, match="needs model 'tiny'; there are: .*tiny.noise"):
        models.load_by_id("tiny+noise")


def test_the_effort_is_the_codecs(codec):
    assert codec.without_refinement() is codec
    assert codec.with_effort(6).id == codec.id
    with pytest.raises(ModelError, match="efforts? above 6"):
        codec.with_effort(7)
