"""Image files in the graph, against `image_files.images`."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tf_imgcomp.image_files.images import read_image
from tf_imgcomp.serving import image_bytes
from tf_imgcomp.serving.conditions import Conditions
from tf_imgcomp.serving.image_bytes import DecodedImage

_PIXELS_MAX = 50_000


@tf.function(input_signature=[tf.TensorSpec([], tf.string)])
def _decoded(data):
    conditions = Conditions()
    image = image_bytes.decode(data, _PIXELS_MAX, conditions)
    return *image, conditions.error


@tf.function(input_signature=[tf.TensorSpec([], tf.string)])
def _decoded_for_codec(data):
    conditions = Conditions()
    image = image_bytes.decode(data, _PIXELS_MAX, conditions, step=64)
    return *image, conditions.error


def _file(image: Image.Image, format_: str, **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format_, **options)
    return stream.getvalue()


def _images(make_image) -> dict:
    colour = Image.fromarray(make_image(61, 90))
    deep = np.random.default_rng(1).integers(0, 65536, (40, 30), dtype=np.uint16)
    opaque = colour.copy()
    opaque.putalpha(255)
    return {
        "png": _file(colour, "PNG"),
        "grey png": _file(colour.convert("L"), "PNG"),
        "palette": _file(colour.quantize(32), "PNG"),
        "4 colours": _file(colour.quantize(4), "PNG", bits=2),
        "1 bit": _file(colour.convert("1"), "PNG"),
        "16 bits": _file(Image.fromarray(deep), "PNG"),
        "opaque": _file(opaque, "PNG"),
        "jpeg 4:4:4": _file(colour, "JPEG", subsampling=0),
        "jpeg 4:2:0": _file(colour, "JPEG", subsampling=2, progressive=True),
        "grey jpeg": _file(colour.convert("L"), "JPEG"),
    }


def test_pixels_are_those_of_pillow(make_image, tmp_path):
    for name, data in _images(make_image).items():
        (tmp_path / "image").write_bytes(data)
        expected = read_image(tmp_path / "image")
        pixels, grey, error = _decoded(tf.constant(data))
        assert error.numpy() == b"", name
        np.testing.assert_array_equal(pixels, expected.pixels, name)
        assert bool(grey) == expected.grey, name


def _clear(make_image) -> Image.Image:
    image = Image.fromarray(make_image(8, 8))
    image.putalpha(128)
    return image


@pytest.mark.parametrize(
    ("make_file", "message"),
    [
        (lambda image: b"", "not a JPEG or PNG image"),
        (lambda image: _file(image, "BMP"), "not a JPEG or PNG image"),
        (lambda image: _file(image, "PNG")[:8], "damaged image"),
        (lambda image: _file(image, "PNG")[:30], "damaged image"),
        (lambda image: _file(image, "PNG")[:-200], "damaged image"),
        (lambda image: _file(image, "JPEG")[:100], "damaged image"),
        (lambda image: b"\xff\xd8\xff" + bytes(200), "damaged image"),
        (lambda image: _file(image.resize((251, 200)), "PNG"), "too large"),
        (lambda image: _file(image.resize((251, 200)), "JPEG"), "too large"),
    ],
)
def test_what_is_no_small_image_is_refused(make_file, message, make_image):
    data = make_file(Image.fromarray(make_image(50, 60)))
    pixels, _, error = _decoded(tf.constant(data))
    assert message in error.numpy().decode()
    assert pixels.shape == (1, 1, 3)


def test_a_row_of_pixels_counts_as_those_that_it_is_padded_to():
    """A codec computes 64 rows of one, and a small file can hold a long one."""
    for width, message in ((768, b""), (769, b"padded to multiples of 64")):
        data = _file(Image.new("RGB", (width, 1)), "PNG")
        assert _decoded(tf.constant(data))[2].numpy() == b""
        pixels, _, error = _decoded_for_codec(tf.constant(data))
        assert message in error.numpy()
        assert pixels.shape == ((1, 1, 3) if message else (1, width, 3))


def test_transparency_is_refused(make_image):
    error = _decoded(tf.constant(_file(_clear(make_image), "PNG")))[2]
    assert "has transparency" in error.numpy().decode()


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_a_transparent_grey_is_refused(bits):
    grey = Image.new("L", (5, 6), 0)
    opaque = _file(grey, "PNG", bits=bits)
    clear = _file(grey, "PNG", bits=bits, transparency=0)
    assert opaque[24] == clear[24] == bits
    errors = [_decoded(tf.constant(data))[2].numpy() for data in (opaque, clear)]
    assert errors[0] == b""
    assert b"has transparency" in errors[1]


def test_grey_images_are_written_as_means(make_image):
    pixels = make_image(5, 6)
    encode = tf.function(lambda p, grey: image_bytes.encode(DecodedImage(p, grey)))
    colour, grey = (encode(pixels, tf.constant(is_grey)) for is_grey in (False, True))
    read = [np.asarray(Image.open(io.BytesIO(each.numpy()))) for each in (colour, grey)]
    np.testing.assert_array_equal(read[0], pixels)
    np.testing.assert_array_equal(read[1], (pixels.sum(-1, dtype=int) + 1) // 3)
