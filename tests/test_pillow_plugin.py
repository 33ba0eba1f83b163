"""Pillow, and what reads images through it, opens and saves `.tfci` files."""

import dataclasses
import io
import subprocess
import sys

import matplotlib.image
import numpy as np
import pytest
from PIL import Image, ImageCms, UnidentifiedImageError

import tf_imgcomp.pillow_plugin
from tests.image_files.png_files import png
from tf_imgcomp import bitstream
from tf_imgcomp.image_files import icc

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
MAKE = 0x010F
STUB = {"model": "stub"}


pytestmark = pytest.mark.usefixtures("stub_model")


@pytest.fixture
def decoded(stub_model):
    """The regions and scales that were decoded."""
    return stub_model.decoded


@pytest.fixture
def image(make_image):
    return Image.fromarray(make_image(70, 90))


@pytest.fixture
def saved(image):
    image.save("x.tfci", quality=60, **STUB)
    return "x.tfci"


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_an_image_comes_back(image, mode):
    image = image.convert("RGB").convert(mode)
    if "A" in mode:
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    image.save("x.tfci", quality=100, **STUB)
    with Image.open("x.tfci") as opened:
        assert (opened.format, opened.mode, opened.size) == ("TFCI", mode, (90, 70))
        assert opened.get_format_mimetype() == "image/x-tfci"
        errors = np.asarray(opened).astype(int) - np.asarray(image)
    assert np.abs(errors).max() <= 1


def test_pixels_are_decoded_when_they_are_used(saved, decoded):
    with Image.open(saved) as opened:
        assert (opened.size, opened.mode) == ((90, 70), "RGB")
        assert decoded == []
        opened.load()
        opened.load()
        assert opened.getpixel((3, 3))
        assert decoded == [(None, 1)]
    expected = tf_imgcomp.decompress(saved)
    np.testing.assert_array_equal(opened, expected)


def test_tensorflow_waits_for_pixels(saved):
    code = (
        "import sys, tf_imgcomp.pillow_plugin; from PIL import Image; "
        f"assert Image.open('{saved}').size == (90, 70); "
        "sys.exit('tensorflow' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_save_takes_goals_and_a_stream(image, decoded):
    stream = io.BytesIO()
    image.save(stream, "TFCI", max_bytes=5000, **STUB)
    assert 4000 < len(stream.getvalue()) <= 5000
    stream.seek(0)
    assert Image.open(stream).size == image.size
    with pytest.raises(OSError, match="does not fit into 50 bytes"):
        image.save("small.tfci", max_bytes=50, **STUB)
    with pytest.raises(ValueError, match="a quality from 1 to 100, received 0"):
        image.save("small.tfci", quality=0, **STUB)


def test_metadata_comes_along_unless_it_is_given(image):
    tags = Image.Exif()
    tags[MAKE] = "Maker"
    image.info.update(icc_profile=SRGB, exif=tags.tobytes(), dpi=(300, 200))
    image.save("x.tfci", **STUB)
    with Image.open("x.tfci") as opened:
        assert opened.info["icc_profile"] == SRGB
        assert opened.info["dpi"] == (300, 200)
        assert opened.getexif()[MAKE] == "Maker"
        opened.save("x.png", dpi=opened.info["dpi"])
    with Image.open("x.png") as png:
        assert png.info["icc_profile"] == SRGB
        assert png.info["dpi"] == pytest.approx((300, 200), abs=0.02)
    tags[MAKE] = "Other"
    image.save("x.tfci", icc_profile=None, exif=tags, dpi=(72, 72), **STUB)
    with Image.open("x.tfci") as opened:
        assert "icc_profile" not in opened.info
        assert opened.info["dpi"] == (72, 72)
        assert opened.getexif()[MAKE] == "Other"
    assert image.info["dpi"] == (300, 200)


def test_colours_of_a_png_come_along(image):
    """As Pillow keeps its gAMA and cHRM, here of Adobe RGB."""
    primaries = (0.3127, 0.329, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
    image.info.update(gamma=0.45455, chromaticity=primaries)
    image.save("x.tfci", **STUB)
    with Image.open("x.tfci") as opened:
        profile = opened.info["icc_profile"]
    assert icc.read_primaries(profile) == pytest.approx(primaries, abs=1e-3)
    image.save("x.tfci", icc_profile=SRGB, **STUB)
    with Image.open("x.tfci") as opened:
        assert opened.info["icc_profile"] == SRGB


def test_colours_that_only_its_file_names_come_along(tmp_path):
    values = np.full((2, 3, 3), 77)
    path = tmp_path / "image.png"
    path.write_bytes(png(values, 2, (b"cICP", bytes((12, 13, 0, 1))), depth=8))
    with Image.open(path) as image:
        image.save("x.tfci", dpi=(72, 72), **STUB)
        image.save("y.tfci", icc_profile=SRGB, **STUB)
    with Image.open("x.tfci") as opened:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(opened.info["icc_profile"]))
        assert profile.profile.profile_description == "Display P3"
    with Image.open("y.tfci") as opened:
        assert opened.info["icc_profile"] == SRGB


@pytest.mark.parametrize(
    ("size", "reduction"),
    [((90, 70), 1), ((46, 10), 1), ((45, 35), 2), ((11, 8), 8), ((1, 1), 16)],
)
def test_a_draft_is_the_smallest_preview_that_is_large_enough(
    saved, decoded, size, reduction
):
    with Image.open(saved) as opened:
        result = opened.draft(None, size)
        if reduction == 1:
            assert result is None
        else:
            assert result == ("RGB", (0, 0, 90 / reduction, 70 / reduction))
        assert opened.size == (-(-90 // reduction), -(-70 // reduction))
        opened.load()
        assert opened.draft(None, (1, 1)) is None
    assert decoded == [(None, reduction)]


def test_thumbnails_decode_previews(saved, decoded):
    with Image.open(saved) as opened:
        opened.thumbnail((9, 8))  # For which Pillow asks a draft of twice the size.
    assert opened.size == (9, 7)
    assert decoded == [(None, 4)]


def test_of_a_cut_file_a_preview_is_left(saved, tmp_path, decoded):
    data = (tmp_path / saved).read_bytes()
    start = data[: bitstream.first_part_size(data)]
    with Image.open(io.BytesIO(start)) as opened:
        opened.draft(None, (20, 17))
        assert np.asarray(opened).shape == (18, 23, 3)
    message = "cut: .*, but its first part is whole: a preview is possible"
    with pytest.raises(OSError, match=message):
        Image.open(io.BytesIO(start)).load()


def test_damaged_and_foreign_files_are_refused(saved, tmp_path):
    data = (tmp_path / saved).read_bytes()
    with pytest.raises(OSError, match="cut: expected "):
        Image.open(io.BytesIO(data[:60]))
    file = bitstream.unpack(data)
    other = bitstream.pack(dataclasses.replace(file, codec="other"))
    with pytest.raises(OSError, match="needs model 'other'; there are: "):
        Image.open(io.BytesIO(other)).load()
    with pytest.raises(UnidentifiedImageError):
        Image.open(io.BytesIO(b"\x0a" * 40))


def test_matplotlib_reads_it(saved):
    np.testing.assert_array_equal(
        matplotlib.image.imread(saved), tf_imgcomp.decompress(saved)
    )


def test_imageio_reads_it(saved):
    imageio = pytest.importorskip("imageio.v3")
    np.testing.assert_array_equal(imageio.imread(saved), tf_imgcomp.decompress(saved))
