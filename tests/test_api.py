"""The package from Python, with the stub codec as the only model."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

import tf_imgcomp
from tests.stub_codec import CARD
from tf_imgcomp import bitstream, metrics
from tf_imgcomp.errors import ImageError
from tf_imgcomp.image_codecs import catalogue

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
MAKE = 0x010F


pytestmark = pytest.mark.usefixtures("stub_model")


@pytest.fixture
def pixels(make_image):
    return make_image(70, 90)


@pytest.mark.parametrize("shape", [(), (1,), (2,), (3,), (4,)])
def test_an_array_goes_there_and_back(pixels, shape):
    array = np.dstack([pixels, pixels[..., 0]])
    array = array[..., 0] if not shape else array[..., -shape[0] :]
    back = np.asarray(tf_imgcomp.decompress(tf_imgcomp.compress(array, quality=100)))
    assert back.dtype == np.uint8
    back = back.reshape(array.shape)
    assert np.abs(back.astype(int) - array).max() <= 1
    if shape in [(2,), (4,)]:
        np.testing.assert_array_equal(back[..., -1], array[..., -1])


def test_the_bytes_are_those_of_a_file(pixels):
    Image.fromarray(pixels).save("photo.png")
    data = tf_imgcomp.compress(pixels, quality=60)
    assert bitstream.unpack(data).quality == 60
    assert data == tf_imgcomp.compress("photo.png", quality=60)
    assert data == tf_imgcomp.compress(Path("photo.png"), quality=60)
    assert data == tf_imgcomp.compress(Image.fromarray(pixels), quality=60)
    report = tf_imgcomp.compress_file("photo.png", quality=60)
    assert Path("photo.tfci").read_bytes() == data
    assert (report.num_bytes, report.quality) == (len(data), 60)
    for source in (data, bytearray(data), memoryview(data), "photo.tfci"):
        image = tf_imgcomp.decompress(source)
        np.testing.assert_array_equal(image, tf_imgcomp.decompress(data))


def test_lists_give_lists(pixels):
    images = [pixels, Image.fromarray(pixels[:20]), pixels[:3, :, 0]]
    data = tf_imgcomp.compress(images)
    assert data == [tf_imgcomp.compress(image) for image in images]
    decoded = tf_imgcomp.decompress(data)
    assert [image.size for image in decoded] == [(90, 70), (90, 20), (90, 3)]
    assert tf_imgcomp.compress([]) == tf_imgcomp.decompress([]) == []


def test_metadata_comes_along(pixels):
    image = Image.fromarray(pixels)
    tags = Image.Exif()
    tags[MAKE] = "Maker"
    image.info.update(icc_profile=SRGB, exif=tags.tobytes(), dpi=(300, 300))
    back = tf_imgcomp.decompress(tf_imgcomp.compress(image))
    assert back.info["icc_profile"] == SRGB
    assert back.info["dpi"] == (300, 300)
    assert back.getexif()[MAKE] == "Maker"


def test_goals_are_met(pixels):
    size = len(tf_imgcomp.compress(pixels, quality=50))
    assert len(tf_imgcomp.compress(pixels, max_bytes=size)) <= size
    bpp = 8 * size / (70 * 90)
    assert len(tf_imgcomp.compress(pixels, target_bpp=bpp)) <= size
    back = tf_imgcomp.decompress(tf_imgcomp.compress(pixels, target_psnr=35))
    assert metrics.psnr(pixels, np.asarray(back)) >= 35
    assert len(tf_imgcomp.compress(pixels)) == size
    with pytest.raises(tf_imgcomp.ImgcompError, match="does not fit into 50 bytes"):
        tf_imgcomp.compress(pixels, max_bytes=50)


def test_a_region_and_a_preview(pixels):
    data = tf_imgcomp.compress(pixels)
    whole = np.asarray(tf_imgcomp.decompress(data))
    part = tf_imgcomp.decompress(data, region=(10, 60, 30, 5))
    np.testing.assert_array_equal(part, whole[60:65, 10:40])
    preview = tf_imgcomp.decompress(data, scale=1 / 8)
    assert preview.size == (12, 9)
    start = data[: bitstream.first_part_size(data)]
    with pytest.warns(UserWarning, match="cut: .*, but its first part is whole"):
        again = tf_imgcomp.decompress(start, scale=1 / 8)
    np.testing.assert_array_equal(again, preview)


def test_pixels_have_a_limit(pixels, tmp_path):
    height, width, _ = pixels.shape
    data = tf_imgcomp.compress(pixels)
    Path("a.tfci").write_bytes(data)
    Image.fromarray(pixels).save("a.png")
    few = {"max_pixels": height * width - 1}
    for allowed in (height * width, 0):
        tf_imgcomp.decompress(data, max_pixels=allowed)
        tf_imgcomp.compress("a.png", max_pixels=allowed)
    tf_imgcomp.decompress(data, region=(0, 0, 9, 9), **few)
    for call, *arguments in (
        (tf_imgcomp.compress, "a.png"),
        (tf_imgcomp.decompress, data),
        (tf_imgcomp.decompress_file, "a.tfci", "b.png"),
        (tf_imgcomp.compress_file, "a.png", "b.tfci"),
    ):
        with pytest.raises(ImageError, match="pixels exceed the limit of .*max_pixels"):
            call(*arguments, **few)


def test_a_classical_codec_is_a_model(pixels):
    data = tf_imgcomp.compress(pixels, model="webp_lossless")
    np.testing.assert_array_equal(tf_imgcomp.decompress(data), pixels)


def test_the_default_model_leaves_drawings_to_others(pixels):
    drawing = np.full((60, 90, 3), 255, np.uint8)
    drawing[10:20, 10:50] = 0
    Image.fromarray(drawing).save("drawing.png")
    codecs = [
        bitstream.unpack(data).codec for data in tf_imgcomp.compress([pixels, drawing])
    ]
    assert codecs[0] == "stub"
    assert codecs[1] in ("avif444", "webp_lossless")
    for model in ("auto", "stub"):
        data = tf_imgcomp.compress(drawing, model=model)
        assert bitstream.unpack(data).codec == (codecs[1] if model == "auto" else model)
    report = tf_imgcomp.compress_file("drawing.png")
    assert report.notes[0].startswith(f"no photo: {codecs[1]} (")
    with pytest.raises(tf_imgcomp.ModelError, match="needs model 'auto'"):
        tf_imgcomp.decompress("drawing.tfci", model="auto")


def test_what_is_lost_is_a_warning_where_the_call_is(pixels):
    Image.fromarray(pixels).convert("CMYK").save("print.tif")
    with pytest.warns(UserWarning, match="CMYK converted to RGB") as caught:
        tf_imgcomp.compress("print.tif")
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match="CMYK converted to RGB") as caught:
        tf_imgcomp.compress(["print.tif"])
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"quality": 0}, ValueError, "a quality from 1 to 100, received 0"),
        ({"quality": float("nan")}, ValueError, "from 1 to 100, received nan"),
        ({"target_bpp": -1}, ValueError, "target_bpp from 0 on, received -1"),
        (
            {"quality": 9, "max_bytes": 9},
            ValueError,
            "Expected one goal, received quality and max_bytes",
        ),
        ({"effort": 0}, ValueError, "Expected an effort from 1 to 9, received 0"),
        ({"effort": 9}, tf_imgcomp.ModelError, "has no effort above 6"),
        ({"model": "nix"}, tf_imgcomp.ModelError, "needs model 'nix'; there are: .*st"),
    ],
)
def test_wrong_options_are_refused(pixels, arguments, error, message):
    with pytest.raises(error, match=message):
        tf_imgcomp.compress(pixels, **arguments)


def test_what_is_no_image_or_file_is_refused(pixels):
    with pytest.raises(TypeError, match="Expected a NumPy array, .*, received tuple"):
        tf_imgcomp.compress((pixels,))
    with pytest.raises(tf_imgcomp.ImageError, match="received float64: pass np.uint8"):
        tf_imgcomp.compress(pixels / 255)
    with pytest.raises(TypeError, match="Expected bytes, a path .*, received int"):
        tf_imgcomp.decompress(3)
    with pytest.raises(tf_imgcomp.BitstreamError, match="not a .tfci file"):
        tf_imgcomp.decompress(b"nix")
    with pytest.raises(FileNotFoundError):
        tf_imgcomp.decompress("nix.tfci")
    data = tf_imgcomp.compress(pixels)
    with pytest.raises(tf_imgcomp.ImageError, match="does not contain the region"):
        tf_imgcomp.decompress(data, region=(80, 0, 11, 1))
    for region in ((1, 2, 3), "1234", (0.5, 0, 5, 5), 3):
        with pytest.raises(ValueError, match="Expected a region .* in whole pixels"):
            tf_imgcomp.decompress(data, region=region)
    with pytest.raises(tf_imgcomp.ModelError, match="'webp' is a classical codec"):
        tf_imgcomp.load_keras("webp")
    with pytest.raises(ValueError, match="1, 1/2, 1/4, 1/8 or 1/16, received 8"):
        tf_imgcomp.decompress(data, scale=8)
    with pytest.raises(ValueError, match="a region or a scale, received both"):
        tf_imgcomp.decompress(data, region=(0, 0, 1, 1), scale=1 / 2)


def test_files_go_beside_each_other_and_are_kept(pixels):
    Image.fromarray(pixels).save("photo.png")
    tf_imgcomp.compress_file("photo.png")
    for repeat in (
        lambda: tf_imgcomp.compress_file("photo.png"),
        lambda: tf_imgcomp.decompress_file("photo.tfci"),
    ):
        with pytest.raises(tf_imgcomp.ImgcompError, match="exists"):
            repeat()
    tf_imgcomp.decompress_file("photo.tfci", overwrite=True)
    report = tf_imgcomp.decompress_file("photo.tfci", "small.jpg", scale=1 / 2)
    assert report.num_bytes == Path("photo.tfci").stat().st_size
    with Image.open("small.jpg") as image:
        assert image.size == (45, 35)


def test_a_model_stays_loaded_until_it_is_exported_again(pixels, stub_model, tmp_path):
    data = tf_imgcomp.compress(pixels)
    tf_imgcomp.decompress(data)
    assert tf_imgcomp.load_model("stub") is tf_imgcomp.load_model("models/stub")
    assert stub_model.loaded == ["stub"]
    card = tmp_path / "models" / "stub" / "card.json"
    card.write_text(json.dumps({**CARD, "fingerprint": 1}))
    tf_imgcomp.compress(pixels)
    assert stub_model.loaded == ["stub", "stub"]


def test_threads_load_a_model_once(stub_model):
    threads = [
        threading.Thread(target=tf_imgcomp.load_model, args=["stub"]) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stub_model.loaded == ["stub"]


def test_a_file_does_not_choose_a_folder(pixels, tmp_path):
    data = tf_imgcomp.compress(pixels)
    (tmp_path / "models" / "stub").rename(tmp_path / "stub")
    with pytest.raises(tf_imgcomp.ModelError, match="needs model 'stub'"):
        tf_imgcomp.decompress(data)
    assert tf_imgcomp.decompress(data, model="stub").size == (90, 70)


def test_models_tell_what_their_cards_say(tmp_path):
    for codec_id, facts in {
        "bpg+mine": {"postfilter": "xue2019"},
        "stub+mine": {"postfilter": "xue2019", "licence": "CC0"},
        "full": {
            "codec": "fdram",
            "bd_rates": {"jpeg": {"psnr": -50.1, "ms_ssim": -40.0}},
            "speed": {"encode_seconds": 0.2, "decode_seconds": 0.1},
            "data_licence": "CC BY",
        },
    }.items():
        folder = tmp_path / "models" / codec_id
        folder.mkdir()
        card = json.dumps({**CARD, "id": codec_id, **facts})
        (folder / "card.json").write_text(card)
    known = {info.id: info for info in tf_imgcomp.models()}
    full = known["full"]
    assert isinstance(full, tf_imgcomp.ModelInfo)
    assert (full.family, full.bd_rates) == ("fdram", {"jpeg": -50.1})
    assert (full.encode_seconds, full.decode_seconds) == (0.2, 0.1)
    assert (full.licence, full.data_licence) == ("", "CC BY")
    assert full.num_bytes == (full.folder / "card.json").stat().st_size
    assert full.requires == ()
    assert known["bpg+mine"].requires == ("tf_imgcomp[classical]",)
    assert known["stub+mine"].requires == ("stub",)
    assert known["stub+mine"].family == "xue2019"
    assert catalogue.catalogue() == tf_imgcomp.models()


def test_importing_is_fast_and_names_come_when_used(tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "photo.png")
    code = """
import sys
import tf_imgcomp
heavy = {"numpy", "PIL", "tensorflow", "scipy"}
assert not heavy & sys.modules.keys()
assert set(tf_imgcomp.__all__) <= set(dir(tf_imgcomp))
for name in tf_imgcomp.__all__:
    getattr(tf_imgcomp, name)
tf_imgcomp.models()
try:
    tf_imgcomp.decompress(b"nix")
except tf_imgcomp.BitstreamError:
    pass
assert "tensorflow" not in sys.modules
tf_imgcomp.nix
"""
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    last = "AttributeError: module 'tf_imgcomp' has no attribute 'nix'"
    assert result.stderr.splitlines()[-1].startswith(last)
