"""Gain maps are named, not kept."""

import struct

import numpy as np
import pytest
from PIL import Image

from tests.image_files.test_isobmff import file
from tf_imgcomp.image_files import formats, gain_maps
from tf_imgcomp.image_files.images import Photo, read_image, write_image

NOTE = "HDR gain map dropped"
ULTRA_HDR = b'<x:xmpmeta><rdf:Description hdrgm:Version="1.0"/></x:xmpmeta>'


@pytest.fixture
def photo(make_image):
    return Image.fromarray(make_image(64, 96))


def test_second_image_of_a_phones_mpo_is_a_gain_map(tmp_path, photo):
    path = tmp_path / "image.jpg"
    small = photo.resize((24, 16)).convert("L")
    photo.save(path, "MPO", save_all=True, append_images=[small])
    assert read_image(path).notes == ("first frame of 2 only", NOTE)


def test_ultra_hdr_is_told_by_its_xmp(tmp_path, photo):
    path = tmp_path / "image.jpg"
    photo.save(path, xmp=ULTRA_HDR)
    assert read_image(path).notes == (NOTE,)
    photo.save(path, xmp=b"<x:xmpmeta/>")
    assert read_image(path).notes == ()


def test_box_of_jpeg_xl_is_found(tmp_path, photo):
    path = tmp_path / "image.jxl"
    write_image(path, Photo(np.asarray(photo), xmp=b"<x/>"))  # In boxes, for the XMP.
    assert read_image(path).notes == ()
    path.write_bytes(path.read_bytes() + struct.pack(">I4s", 12, b"jhgm") + bytes(4))
    assert read_image(path).notes == (NOTE,)


def test_gain_maps_of_heic_and_avif_are_found(tmp_path, photo):
    path = tmp_path / "image.avif"
    photo.save(path)
    with open(path, "rb") as stream:
        image = formats.open_image(stream)
        assert not gain_maps.has_gain_map(image, stream)
        image.info["aux"] = {"urn:com:apple:photo:2020:aux:hdrgainmap": [3]}
        assert gain_maps.has_gain_map(image, stream)
    path.write_bytes(file())  # With an item of the kind "tmap".
    with open(path, "rb") as stream:
        image.info.clear()
        assert gain_maps.has_gain_map(image, stream)
