"""A codec with a filter as one codec: never worse, and safe against damaged files."""

import dataclasses
import shutil

import numpy as np
import pytest
from PIL import Image

from tests import tiny
from tests.image_codecs.stub_model import StubTileModel
from tf_imgcomp import bitstream, metrics
from tf_imgcomp.classical import bpg
from tf_imgcomp.errors import BitstreamError, ClassicalCodecError, ModelError
from tf_imgcomp.export.postfilter import export
from tf_imgcomp.files import compression, encoding, goals
from tf_imgcomp.image_codecs import models
from tf_imgcomp.image_codecs.classical import CLASSICAL_CODECS, ClassicalImageCodec
from tf_imgcomp.image_codecs.filtered import FilteredCodec
from tf_imgcomp.image_codecs.learned import LearnedCodec
from tf_imgcomp.image_codecs.tile_filtering import SavedFilter
from tf_imgcomp.image_codecs.workers import Workers
from tf_imgcomp.image_files.images import Photo
from tf_imgcomp.regions import Region

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


@pytest.fixture(
    scope="module",
    params=["bpg+noise", pytest.param("tiny+noise", marks=pytest.mark.slow)],
)
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
    assert file.variant == 0
    name = codec.id.partition("+")[0]
    alone = (
        ClassicalImageCodec(name)
        if name in CLASSICAL_CODECS
        else models.load(str(folders / name))
    )
    coded = alone.compress(photo.pixels, 40)
    plain = alone.decompress(coded, 33, 50)
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
    assert bitstream.unpack(data).variant == 1
    assert 600 < len(data) <= 1200


def test_the_byte_that_names_the_filter_counts(codec, make_image, monkeypatch):
    photo = Photo(make_image(60, 90))
    monkeypatch.setattr(SavedFilter, "__call__", lambda self, pixels, *_: photo.pixels)
    limit = len(goals.encode(codec, photo, goals.Goal(quality=50)).data) - 1
    assert len(goals.encode(codec, photo, goals.Goal(max_bytes=limit)).data) <= limit


def test_trials_are_as_long_and_filter_nothing(codec, make_image, monkeypatch):
    pixels = make_image(60, 90)
    coded = codec.compress(pixels, 50)
    monkeypatch.delattr(SavedFilter, "__call__")
    trial = codec.for_trials().compress(pixels, 50)
    assert (trial.first, trial.rest) == (coded.first, coded.rest)


def test_a_filter_that_helps_is_used(codec, make_image, monkeypatch):
    photo = Photo(make_image(20, 30))
    monkeypatch.setattr(SavedFilter, "__call__", lambda self, pixels, *_: photo.pixels)
    file, decoded = _round_trip(codec, photo, goals.Goal(quality=10))
    assert file.variant == 1
    np.testing.assert_array_equal(decoded.pixels, photo.pixels)


@pytest.mark.parametrize("name", [n for n in CLASSICAL_CODECS if n != "webp_lossless"])
def test_every_lossy_codec_can_have_a_filter(name, folders, make_image, monkeypatch):
    """As `bin/make_pairs` makes pairs of them all."""
    if missing := CLASSICAL_CODECS[name].available():
        pytest.skip(missing)
    folder = shutil.copytree(folders / "bpg+noise", folders / f"{name}+new")
    card = folder / "card.json"
    card.write_text(card.read_text().replace("bpg+noise", folder.name))
    monkeypatch.setenv("TF_IMGCOMP_MODELS", str(folders))
    photo = Photo(make_image(20, 30))
    monkeypatch.setattr(SavedFilter, "__call__", lambda self, pixels, *_: photo.pixels)
    codec = models.load_by_id(folder.name)
    file, decoded = _round_trip(codec, photo, goals.Goal(quality=10))
    assert file.variant == 1
    np.testing.assert_array_equal(decoded.pixels, photo.pixels)


@pytest.mark.parametrize(("ensemble", "variant"), [("rotations", 2), ("flips", 3)])
def test_a_mean_that_helps_is_used(codec, ensemble, variant, make_image, monkeypatch):
    photo = Photo(make_image(20, 30))

    def filter_(self, pixels, setting, way):
        return photo.pixels if way == ensemble else pixels

    monkeypatch.setattr(SavedFilter, "__call__", filter_)
    file, _ = _round_trip(codec, photo, goals.Goal(quality=10))
    assert file.variant == 0
    file, decoded = _round_trip(
        codec.with_ensemble(ensemble), photo, goals.Goal(quality=10)
    )
    assert file.variant == variant
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


def test_other_variants_are_refused(codec, make_image):
    coded = codec.compress(make_image(16, 16), 50)
    coded = dataclasses.replace(coded, variant=4)
    with pytest.raises(
        BitstreamError, match="expected a variant of 0 to 3, received 4"
    ):
        codec.decompress(coded, 16, 16)


def test_decoding_needs_no_encoder(folders, monkeypatch, make_image):
    monkeypatch.setenv("TF_IMGCOMP_MODELS", str(folders))
    codec = models.load_by_id("bpg+noise")
    coded = codec.compress(make_image(16, 16), 50)

    def fail(*_):
        raise ClassicalCodecError("no encoder here")

    monkeypatch.setattr(bpg.BpgCodec, "encode", fail)
    codec.decompress(coded, 16, 16)


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


def test_the_version_tells_all_that_changes_bytes(codec):
    """`evaluation.points.Cache` keeps results apart by the version."""
    others = [codec.with_ensemble("flips"), codec.for_trials()]
    assert len({codec.version, *(other.version for other in others)}) == 3
    bpg = models.load_classical("bpg")
    if codec.id == "bpg+noise":
        assert codec.version == (
            f"{bpg.version}, filter of fingerprint {codec.fingerprint}, tried: none"
        )


class _StubFilter:
    """Adds the mean over 5x5 pixels minus 1: exact, and reaches two pixels."""

    id, card, fingerprint, bytes_per_pixel = "stub+blur", {}, 1, 1.0
    border, encoder_base, decoder_base = 2, 5000.0, 4000.0

    def __init__(self, tile):
        self.tile = tile

    def __call__(self, pixels, setting, ensemble="none"):
        height, width, _ = pixels.shape
        padded = np.pad(pixels.astype(np.int64), [(2, 2), (2, 2), (0, 0)], "edge")
        total = sum(
            padded[i : i + height, j : j + width] for i in range(5) for j in range(5)
        )
        return (total // 25).astype(np.uint8)


def _stub(tile, threads=2, tried=("none",)):
    codec = LearnedCodec(StubTileModel(), Workers(threads))
    return FilteredCodec(codec, _StubFilter(tile), Workers(threads), tried)


@pytest.mark.parametrize(
    "region", [(0, 0, 200, 129), (63, 63, 2, 2), (199, 0, 1, 129), (40, 10, 100, 90)]
)
def test_a_filter_in_tiles_has_no_seams(region, make_image):
    pixels, region = make_image(200, 129), Region(*region)
    coded = _stub(48).compress(pixels, 50)
    coded = dataclasses.replace(coded, variant=1)
    whole = _stub(1024).decompress(coded, 200, 129)
    part = _stub(48).decompress(coded, 200, 129, region)
    np.testing.assert_array_equal(part, whole[region.slices])


def test_the_choice_is_that_of_the_whole_image(make_image):
    pixels = make_image(200, 129)
    variants = {_stub(tile).compress(pixels, 50).variant for tile in (16, 48, 1024)}
    assert len(variants) == 1
    smooth = np.full_like(pixels, 100)
    assert _stub(48).compress(smooth, 50).variant == 0  # Of equals, none.


def test_memory_of_a_filter_grows_with_the_picture_alone():
    """Filter and codec take turns; each works on a few tiles at once."""
    codec, side = _stub(1024, threads=3), 1024 + 2 * _StubFilter.border
    for size in (10_000, 20_000):
        filtering = 3 * _StubFilter.bytes_per_pixel * side**2
        of_tiles = 8 * size**2 + filtering
        assert codec.memory_to_compress(size, size) == 5000 + of_tiles
        assert codec.memory_to_decompress(size, size) == 4000 + of_tiles
