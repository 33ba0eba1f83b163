"""Depth and ICC profile of JPEG 2000."""

import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from tf_imgcomp.image_files.images import read_image

ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.fixture
def image(make_image):
    return Image.fromarray(make_image(64, 96))


def test_profile_is_kept(tmp_path, image):
    path = tmp_path / "image.jp2"
    image.save(path)
    assert read_image(path).icc is None
    data = path.read_bytes()
    old = data.index(b"colr") - 4
    (size,) = struct.unpack_from(">I", data, old)
    profile = struct.pack(">I4sBBB", 11 + len(ICC), b"colr", 2, 0, 0) + ICC
    head = data.index(b"jp2h") - 4
    (length,) = struct.unpack_from(">I", data, head)
    longer = struct.pack(">I", length + len(profile) - size)
    new = data[:head] + longer + data[head + 4 : old] + profile + data[old + size :]
    path.write_bytes(new)
    photo = read_image(path)
    assert photo.icc == ICC
    np.testing.assert_array_equal(photo.pixels, np.asarray(image))


@pytest.mark.parametrize("suffix", ["jp2", "j2k"])
def test_samples_of_more_than_eight_bits_are_noted(tmp_path, image, suffix):
    path = tmp_path / f"image.{suffix}"
    image.save(path)
    assert read_image(path).notes == ()
    data = bytearray(path.read_bytes())
    depth = data.index(b"\xff\x4f\xff\x51") + 42
    assert data[depth : depth + 9 : 3] == b"\7\7\7"
    data[depth : depth + 9 : 3] = b"\x0b\x0b\x0b"
    path.write_bytes(data)
    assert read_image(path).notes == ("12-bit samples reduced to 8 bits",)
