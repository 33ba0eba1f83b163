"""Which formats are read, and the packages behind some of them."""

import io
import struct
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tf_imgcomp.errors import ImageError
from tf_imgcomp.image_files import formats
from tf_imgcomp.image_files.images import (
    Photo,
    read_image,
    read_pillow_image,
    write_image,
)

ORIENTATION = 0x0112
JXL_BOX = b"\0\0\0\x0cJXL \r\n\x87\n"


@pytest.fixture
def pixels(make_image):
    return make_image(64, 96)


def distance(photo, pixels):
    return np.abs(photo.pixels.astype(int) - pixels).mean()


@pytest.mark.parametrize("name", ["image.heic", "image.heif", "image.jxl"])
def test_heic_and_jpeg_xl_are_written_and_read(tmp_path, pixels, name):
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    tags = exif.tobytes().removeprefix(b"Exif\0\0")
    alpha = np.where(pixels[..., 0] > 99, 255, 0).astype(np.uint8)
    photo = Photo(pixels, alpha=alpha, exif=tags, xmp=b"<x/>")
    path = tmp_path / name
    assert write_image(path, photo) == ()
    read = read_image(path)
    opaque = alpha[..., None] > 0
    assert (np.abs(read.pixels.astype(int) - pixels) * opaque).mean() < 3
    assert (read.alpha == alpha).mean() > 0.9
    # The plug-in for JPEG XL on Python 3.9 returns some bytes more.
    assert (read.exif[: len(tags)], read.xmp) == (tags, photo.xmp)
    assert read.notes == ()


@pytest.mark.parametrize("name", ["image.heic", "image.jxl"])
def test_grey_stays_grey(tmp_path, pixels, name):
    grey = np.repeat(pixels[..., :1], 3, -1)
    write_image(tmp_path / name, Photo(grey, grey=True))
    read = read_image(tmp_path / name)
    assert distance(read, grey) < 2
    assert read.grey


def test_a_profile_is_kept_in_heic_and_said_to_be_lost_in_jpeg_xl(tmp_path, pixels):
    icc = b"\0\0\2\0" + bytes(12) + b"RGB " + bytes(500)
    photo = Photo(pixels, icc=icc)
    assert write_image(tmp_path / "image.heic", photo) == ()
    assert read_image(tmp_path / "image.heic").icc == icc
    notes = write_image(tmp_path / "image.jxl", photo)
    assert notes == ("ICC profile dropped: JXL cannot store this",)


@pytest.mark.parametrize("orientation", [3, 6])
def test_heic_is_turned_once(tmp_path, pixels, orientation):
    formats.output_format(tmp_path / "image.heic")  # Loads the plug-in.
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    path = tmp_path / "image.heic"
    Image.fromarray(pixels).save(
        path, exif=exif.tobytes(), quality=95, subsampling="4:4:4"
    )
    photo = read_image(path)
    turned = np.rot90(pixels, {3: 2, 6: -1}[orientation])
    assert distance(photo, turned) < 3
    kept = Image.Exif()
    kept.load(photo.exif)
    assert kept.get(ORIENTATION, 1) == 1


def test_jpeg_xl_is_not_turned_by_its_exif(tmp_path, pixels):
    """Its decoder turns by the header; EXIF is for information (ISO/IEC 18181-2)."""
    formats.output_format(tmp_path / "image.jxl")
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    path = tmp_path / "image.jxl"
    Image.fromarray(pixels).save(path, exif=exif.tobytes())
    photo = read_image(path)
    assert photo.pixels.shape == pixels.shape
    with Image.open(path) as image:
        opened = read_pillow_image(image)
        assert image.getexif()[ORIENTATION] == 6
    assert opened.exif == photo.exif
    np.testing.assert_array_equal(opened.pixels, photo.pixels)
    kept = Image.Exif()
    kept.load(photo.exif)
    assert kept[ORIENTATION] == 1


def test_a_jpeg_in_jpeg_xl_is_turned_by_its_exif(tmp_path, pixels):
    formats.output_format(tmp_path / "image.jxl")
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    Image.fromarray(pixels).save(tmp_path / "image.jpg", exif=exif, quality=95)
    with Image.open(tmp_path / "image.jpg") as image:
        image.save(tmp_path / "image.jxl", lossless_jpeg=True)
    photo = read_image(tmp_path / "image.jxl")
    assert distance(photo, np.rot90(pixels, -1)) < 5


# Red, 8x8, by libjxl in FFmpeg.
SIXTEEN_BITS = (
    "ff0a41f093090013880200c400b59f200000152aa38c1bbc9cebf9f24387c5b48deb0c6db56d6109"
    "63b3bd30484838838d8b1ebe3948e3d21b90904a1200"
)
ANIMATION = (
    "ff0a4104150020270013082800c400b59f200000152aa38c1bbc9cebf9f24387c5b48deb0c6db56d"
    "610963b3bd30484838838d8b1ebe394903d31b90904a12000013280a00c400b59f200000152aa38c"
    "1bbc9cebf9f24387c5b48deb0c6db56d610963b3bd30484838838d8b1ebe394903d31b90904a1200"
)


@pytest.mark.parametrize(
    ("data", "note"),
    [
        (SIXTEEN_BITS, "16-bit samples reduced to 8 bits"),
        (ANIMATION, "first frame of several only"),
    ],
)
def test_depth_and_frames_of_jpeg_xl_are_noted(tmp_path, data, note):
    path = tmp_path / "image.jxl"
    path.write_bytes(bytes.fromhex(data))
    photo = read_image(path)
    assert photo.notes == (note,)
    assert photo.pixels.shape == (8, 8, 3)
    np.testing.assert_allclose(photo.pixels[4, 4], (255, 0, 0), atol=3)


def test_ten_bits_of_heic_are_noted(tmp_path, pixels):
    heif = pytest.importorskip("pillow_heif")
    path = tmp_path / "image.heic"
    deep = (pixels.astype(np.uint16) * 257).tobytes()
    heif.encode("RGB;16", (96, 64), deep, path, quality=95, chroma=444)
    photo = read_image(path)
    assert photo.notes == ("10-bit samples reduced to 8 bits",)
    assert distance(photo, pixels) < 3


@pytest.mark.parametrize(
    "data",
    [
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n",
        b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 9, 9, 8, 3) + bytes(100),
        b"SIMPLE  =                    T" + bytes(3000),
    ],
)
def test_formats_that_are_not_listed_are_not_opened(tmp_path, data, monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", None)  # Ghostscript would need it.
    path = tmp_path / "image.png"
    path.write_bytes(data)
    with pytest.raises(ImageError, match="^not an image of a known format$"):
        read_image(path)


@pytest.mark.parametrize(
    ("module", "suffix", "data", "message"),
    [
        ("pillow_jxl", "jxl", b"\xff\x0a" + bytes(20), "JPEG XL needs .*[jxl]"),
        ("pillow_jxl", "jxl", JXL_BOX + bytes(20), "JPEG XL needs .*[jxl]"),
        ("pillow_heif", "heic", b"\0\0\0\x18ftypheic" + bytes(20), "HEIC needs"),
    ],
)
def test_a_missing_package_is_named(
    tmp_path, monkeypatch, module, suffix, data, message
):
    for name in list(sys.modules):
        if name.split(".")[0] == module:
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    path = tmp_path / f"image.{suffix}"
    path.write_bytes(data)
    with pytest.raises(ImageError, match=f"^{message}"):
        read_image(path)
    with pytest.raises(ImageError, match=f"^{message}"):
        write_image(tmp_path / f"new.{suffix}", Photo(np.zeros((2, 2, 3), np.uint8)))
    assert f".{suffix}" in formats.input_suffixes()


def jxl_header(width, height):
    """The first bytes of a codestream of this size, in fields of 30 bits."""
    bits, at = 0, 0
    for value, count in (
        (0, 1),
        (3, 2),
        (height - 1, 30),
        (0, 3),
        (3, 2),
        (width - 1, 30),
    ):
        bits |= value << at
        at += count
    return b"\xff\x0a" + bits.to_bytes(12, "little") + bytes(100)


@pytest.mark.parametrize("boxes", [False, True])
def test_size_of_jpeg_xl_is_checked_before_decoding(tmp_path, boxes):
    data = jxl_header(10**6, 10**6)
    if boxes:
        data = JXL_BOX + struct.pack(">I4s", 8 + len(data), b"jxlc") + data
    path = tmp_path / "image.jxl"
    path.write_bytes(data)
    message = r"^1000000 x 1000000 pixels exceed the limit of 500000000 \(max_pixels\)"
    with pytest.raises(ImageError, match=message):
        read_image(path)
    message = "^1000000 x 1000000 pixels need 8000.0 GB of memory"
    with pytest.raises(ImageError, match=message):
        read_image(path, max_pixels=0)
    message = r"^too large for the available memory: .*\(1000000000000 pixels\)"
    with pytest.raises(ImageError, match=message):
        read_image(path, lambda height, width: 0, max_pixels=0)


@pytest.mark.parametrize(
    "size", [(8, 8), (256, 256), (7, 9), (640, 480), (900, 600), (333, 2000), (1, 1)]
)
@pytest.mark.parametrize("boxes", [False, True])
def test_size_of_jpeg_xl_is_known(tmp_path, size, boxes):
    formats.output_format(tmp_path / "image.jxl")
    stream = io.BytesIO()
    image = Image.new("RGB", size)
    image.save(stream, "JXL", use_container=boxes, effort=1)
    assert formats.jpeg_xl.read_size(stream) == size
