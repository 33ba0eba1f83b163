"""Photos from arrays and Pillow images, and back."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from tf_imgcomp import size_limits
from tf_imgcomp.errors import ImageError
from tf_imgcomp.image_files.arrays import photo_of_array, to_pillow
from tf_imgcomp.image_files.exif import read_dpi
from tf_imgcomp.image_files.images import read_pillow_image

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
MAKE, ORIENTATION = 0x010F, 0x0112
RNG = np.random.default_rng(1)


def noise(*shape):
    return RNG.integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize(
    ("shape", "mode"),
    [
        ((5, 7), "L"),
        ((5, 7, 1), "L"),
        ((5, 7, 2), "LA"),
        ((5, 7, 3), "RGB"),
        ((5, 7, 4), "RGBA"),
        ((1, 1, 3), "RGB"),
    ],
)
def test_an_array_becomes_the_image_of_its_samples(shape, mode):
    array = noise(*shape)
    image = to_pillow(photo_of_array(array))
    assert image.mode == mode
    np.testing.assert_array_equal(np.asarray(image).reshape(shape), array)
    assert image.info == {}


def test_an_array_may_be_a_view():
    array = noise(10, 14, 4)[::-2, ::2]
    photo = photo_of_array(array)
    np.testing.assert_array_equal(photo.pixels, array[..., :3])
    np.testing.assert_array_equal(photo.alpha, array[..., 3])
    assert photo.pixels.flags.c_contiguous


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.ones((2, 2), np.float32), r"uint8, received float32: pass np.uint8\(np.cl"),
        (np.ones((2, 2), bool), r"uint8, received bool: pass np.uint8\(x\) \* 255"),
        (np.ones((2, 2), np.uint16), "uint8, received uint16: pass .* // 257"),
        (np.ones((2, 2), np.int64), "uint8, received int64: pass .*0, 255.*is 255"),
        (noise(2, 2, 5), r"\(h, w, 4\) .*, received \(2, 2, 5\)\.$"),
        (noise(4), r"received \(4,\)"),
        (noise(0, 3, 3), r"at least one pixel, received \(0, 3, 3\)"),
        (noise(2, 3, 3, 3), r"received \(2, 3, 3, 3\): pass list\(x\) for a batch"),
    ],
)
def test_other_arrays_are_refused_with_a_cure(array, message):
    with pytest.raises(ImageError, match=message):
        photo_of_array(array)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "CMYK"])
def test_a_pillow_image_is_read_as_its_file_is(mode):
    image = Image.fromarray(noise(6, 9, 3)).convert("L" if mode == "I;16" else "RGB")
    image = image.convert(mode)
    before = image.tobytes()
    photo = read_pillow_image(image)
    assert photo.grey == (mode in ("1", "L", "LA", "I;16"))
    expected = image.convert("RGB") if mode != "I;16" else None
    if expected:
        np.testing.assert_array_equal(photo.pixels, np.asarray(expected))
    assert image.tobytes() == before


def test_an_empty_image_is_refused():
    with pytest.raises(ImageError, match="at least one pixel, received one of 0x3"):
        read_pillow_image(Image.new("RGB", (0, 3)))


def test_images_that_exhaust_memory_are_refused(monkeypatch):
    monkeypatch.setattr(size_limits, "available_memory", lambda: 100)
    message = r"10 x 10 pixels need 0\.0 GB of memory"
    with pytest.raises(ImageError, match=message):
        photo_of_array(noise(10, 10))
    with pytest.raises(ImageError, match=message):
        read_pillow_image(Image.new("L", (10, 10)))


def test_metadata_goes_along():
    image = Image.fromarray(noise(6, 9, 3))
    tags = Image.Exif()
    tags[MAKE] = "Maker"
    image.info.update(icc_profile=SRGB, exif=tags.tobytes(), dpi=(300, 150), xmp=b"<x>")
    back = to_pillow(read_pillow_image(image))
    assert back.info["xmp"] == b"<x>"
    assert back.info["icc_profile"] == SRGB
    assert back.info["dpi"] == (300, 150)
    assert back.getexif()[MAKE] == "Maker"


@pytest.mark.parametrize("format_", ["JPEG", "TIFF", "PNG"])
def test_an_opened_image_is_turned_upright(format_):
    tags = Image.Exif()
    tags[MAKE], tags[ORIENTATION] = "Maker", 6
    stream = io.BytesIO()
    pixels = np.zeros((8, 16, 3), np.uint8)
    pixels[:, 8:] = 255
    Image.fromarray(pixels).save(stream, format_, exif=tags, dpi=(72, 72))
    with Image.open(stream) as image:
        photo = read_pillow_image(image)
        if format_ != "TIFF":  # Pillow turns it on loading.
            assert image.size == (16, 8)
            assert image.getexif()[ORIENTATION] == 6
    back = to_pillow(photo)
    assert back.size == (8, 16)
    assert np.asarray(back)[-1].min() > 240
    assert back.getexif()[MAKE] == "Maker"
    assert back.getexif().get(ORIENTATION, 1) == 1
    assert back.info["dpi"] == pytest.approx((72, 72), abs=0.01)  # PNG has metres.


def test_a_resolution_may_be_in_the_exif_only():
    tags = Image.Exif()
    tags[0x011A], tags[0x011B], tags[0x0128] = 300.0, 200.0, 2  # Inches.
    assert read_dpi(tags.tobytes()) == (300, 200)
    image = Image.fromarray(noise(2, 2))
    image.info["exif"] = tags.tobytes()
    assert to_pillow(read_pillow_image(image)).info["dpi"] == (300, 200)
    tags[0x0128] = 3  # Centimetres.
    assert read_dpi(tags.tobytes()) == (762, 508)
    assert read_dpi(None) is None
    assert read_dpi(b"II*\0damaged") is None
