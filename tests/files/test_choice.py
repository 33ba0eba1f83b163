"""The choice of a codec for what does not look like a photo."""

import dataclasses

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tests.stub_codec import StubCodec
from tf_imgcomp import bitstream, metrics, size_limits
from tf_imgcomp.classical.pillow import WEBP_LOSSLESS
from tf_imgcomp.errors import ImgcompError
from tf_imgcomp.files import choice, compression, encoding, goals
from tf_imgcomp.files.drawn import looks_drawn
from tf_imgcomp.files.goals import Goal
from tf_imgcomp.image_codecs import models
from tf_imgcomp.image_codecs.classical import ClassicalImageCodec
from tf_imgcomp.image_files.images import Photo
from tf_imgcomp.model_folder import read_card


def test_rate_weights_are_those_of_the_default_codec():
    sizes = read_card(models.find())["sizes"]
    weights = choice.CHOICE.lmbda_min, choice.CHOICE.lmbda_max
    assert weights == (sizes["lmbda_min"], sizes["lmbda_max"])


@pytest.fixture
def photo(make_image):
    return Photo(make_image(100, 120))


@pytest.fixture
def drawing():
    """Lines of text with an alpha plane and metadata."""
    image = Image.new("RGB", (120, 100), "white")
    for row in range(0, 100, 12):
        ImageDraw.Draw(image).text((3, row), "some text in a window", "black")
    alpha = np.full((100, 120), 255, np.uint8)
    alpha[:5] = 9
    return Photo(np.asarray(image), alpha=alpha, text=(("Title", "drawn"),))


@pytest.fixture
def scan(drawing):
    """The same on grey paper, with the noise of a scanner."""
    noise = np.random.default_rng(0).normal(scale=4, size=drawing.pixels.shape)
    pixels = 40 + 0.7 * drawing.pixels + noise
    return Photo(np.uint8(np.clip(pixels, 0, 255)))


@pytest.fixture
def others():
    return [ClassicalImageCodec(name) for name in ("webp", "webp_lossless")]


def encode(photo, others, **goal):
    return choice.encode_cheapest(StubCodec(), others, photo, Goal(**goal))


def test_drawings_and_scans_are_told_from_photos(photo, drawing, scan):
    assert looks_drawn(drawing.pixels)
    assert looks_drawn(scan.pixels)
    assert not looks_drawn(photo.pixels)
    assert not looks_drawn(255 - scan.pixels)  # Lights at night.
    for size in [(1, 1), (1, 9), (9, 1), (2, 2), (2, 3)]:
        assert looks_drawn(np.zeros((*size, 3), np.uint8)) == (size == (2, 3))


def test_a_scan_takes_another_codec(scan):
    avif = ClassicalImageCodec("avif444")
    if missing := avif.available():
        pytest.skip(missing)
    encoded, (note,) = encode(scan, [avif], quality=50)
    assert encoded.file.codec == "avif444"
    # The search has a faster encoder, the file the best one.
    assert encoded.data == encoding.PhotoEncoder(scan)(avif, encoded.file.quality).data


@pytest.mark.parametrize("goal", [{"max_bytes": 4000}, {"target_psnr": 30.0}], ids=str)
def test_a_scan_reaches_goals_with_a_search_by_the_faster_encoder(
    scan, goal, monkeypatch
):
    avif = ClassicalImageCodec("avif444")
    if missing := avif.available():
        pytest.skip(missing)
    calls = []
    compress = avif.compress
    monkeypatch.setattr(avif, "compress", lambda *a: calls.append(a) or compress(*a))
    encoded, _ = encode(scan, [avif], **goal)
    assert len(calls) == 1
    assert len(encoded.data) <= goal.get("max_bytes", 1e9)
    assert encoded.psnr >= goal.get("target_psnr", 0)
    assert encoded.file.codec == "avif444"


def test_a_codec_that_does_not_promise_much_has_one_trial(drawing, monkeypatch):
    codec, trials = ClassicalImageCodec("jpeg2000"), []
    compress = codec.compress
    monkeypatch.setattr(codec, "compress", lambda *a: trials.append(a) or compress(*a))
    encoded, notes = encode(drawing, [codec], quality=1)
    assert encoded.file.codec == "stub"
    assert notes == (
        f"no photo: stub ({len(encoded.data)} bytes, {encoded.psnr:.2f} dB)",
    )
    assert len(trials) == 1


@pytest.mark.parametrize("goal", [{"quality": 50}, {"target_psnr": 30.0}])
def test_photos_are_coded_as_without_other_codecs(photo, goal):
    encoded, notes = encode(photo, [None], **goal)  # None cannot even be tried.
    assert encoded == goals.encode(StubCodec(), photo, Goal(**goal))
    assert notes == ()


@pytest.mark.parametrize(
    "goal", [{"quality": 20}, {"max_bytes": 2500}, {"target_psnr": 30.0}], ids=str
)
def test_drawings_take_the_cheapest_codec(drawing, others, goal):
    encoded, notes = encode(drawing, others, **goal)
    file = bitstream.unpack(encoded.data)
    assert file.codec in ("webp", "webp_lossless")
    codec = ClassicalImageCodec(file.codec)
    decoded = encoding.decode(codec, file)
    assert metrics.psnr(drawing.pixels, decoded.pixels) == encoded.psnr
    np.testing.assert_array_equal(decoded.alpha, drawing.alpha)
    assert decoded.text == drawing.text
    (note,) = notes
    quality = "lossless" if encoded.psnr == np.inf else f"{encoded.psnr:.2f} dB"
    size = f"{file.codec} ({len(encoded.data)} bytes, {quality})"
    assert note.startswith(f"no photo: {size}; not ")


def test_the_choice_is_by_the_lagrangian_of_the_quality(drawing, others):
    chosen = [encode(drawing, others, quality=quality)[0] for quality in (1, 50, 100)]
    sizes = [len(encoded.data) for encoded in chosen]
    assert sizes == sorted(sizes)
    for quality, best in zip((1, 50, 100), chosen):
        encoder = encoding.PhotoEncoder(drawing)
        for codec in (StubCodec(), *others):
            _, other = encoder.measured(codec, quality)
            assert choice.lagrangian(best, quality) <= choice.lagrangian(other, quality)


@pytest.mark.parametrize("goal", [{"quality": 50}, {"max_bytes": 9000}], ids=str)
def test_a_codec_that_needs_too_much_memory_is_left_out(
    drawing, others, goal, monkeypatch
):
    needed = min(codec.memory_to_compress(100, 120) for codec in others)
    assert StubCodec().memory_to_compress(100, 120) < needed
    monkeypatch.setattr(size_limits, "available_memory", lambda: needed - 1)
    assert encode(drawing, others, **goal)[0].file.codec == "stub"


def test_auto_is_the_default_model_and_others_that_are_there(monkeypatch):
    codec = StubCodec()
    load = {models.DEFAULT: codec, "mine": codec}.__getitem__
    assert choice.load("mine", load) == (codec, [])
    loaded, others = choice.load(choice.AUTO, load)
    assert loaded is codec
    assert others[-1].id == "webp_lossless"
    monkeypatch.setattr(type(WEBP_LOSSLESS), "available", lambda _: "missing")
    assert choice.load(choice.AUTO, load) == (codec, [])


def test_a_codec_that_fails_is_left_out(drawing, others):
    wide = dataclasses.replace(
        drawing, pixels=np.zeros((2, 20_000, 3), np.uint8), alpha=None
    )
    encoded, notes = encode(wide, others, quality=50)  # Too wide for WebP.
    assert encoded.file.codec == "stub"
    assert notes == (
        f"no photo: stub ({len(encoded.data)} bytes, {encoded.psnr:.2f} dB)",
    )
    with pytest.raises(ImgcompError, match="^does not fit into 1 bytes"):
        encode(drawing, others, max_bytes=1)


def test_a_file_larger_than_its_source_is_noted(tmp_path, drawing, others):
    source, target = tmp_path / "in.png", tmp_path / "out.tfci"
    Image.fromarray(drawing.pixels).save(source, optimize=True)
    report = compression.compress_file(StubCodec(), source, target, Goal(quality=100))
    before, after = source.stat().st_size, target.stat().st_size
    assert after > before
    note = f"larger than its source: {after} bytes, before {before}"
    assert report.notes == (note,)
    report = compression.compress_file(
        StubCodec(), source, target, Goal(quality=1), others=others, overwrite=True
    )
    assert [note.split(":")[0] for note in report.notes] == ["no photo"]
