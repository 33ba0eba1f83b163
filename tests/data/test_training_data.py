"""Batches of crops from a folder of photos."""

import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from tf_imgcomp.data.patches import batches, make_batch
from tf_imgcomp.data.photos import PhotoFolder, is_held_out
from tf_imgcomp.errors import ImageError
from tf_imgcomp.image_files.images import Photo, write_image


@pytest.fixture
def folder(tmp_path, make_image):
    photos = tmp_path / "photos"
    photos.mkdir()
    Image.fromarray(make_image(90, 140)).save(photos / "large.png")
    Image.fromarray(make_image(20, 300)).convert("L").save(photos / "flat.webp")
    (photos / "broken.jpg").write_bytes(b"no image")
    (photos / "note.txt").write_text("no image either")
    return photos


def test_photos_are_decoded_once_and_broken_ones_counted(folder, tmp_path, make_image):
    photos = PhotoFolder(folder, tmp_path / "cache")
    assert photos.names == ["flat.webp", "large.png"]
    assert photos.unreadable == ["broken.jpg"]
    assert photos.smaller_than(64) == 1
    np.testing.assert_array_equal(photos[1], make_image(90, 140))
    (cache,) = (tmp_path / "cache").glob("*.pixels")
    written = cache.stat().st_mtime_ns
    PhotoFolder(folder, tmp_path / "cache")
    assert cache.stat().st_mtime_ns == written


def test_a_changed_photo_is_decoded_again(folder, tmp_path, make_image):
    first = PhotoFolder(folder, tmp_path / "cache")
    path = folder / "large.png"
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    again = PhotoFolder(folder, tmp_path / "cache")
    assert len(list((tmp_path / "cache").glob("*.pixels"))) == 2
    assert again.listing_hash == first.listing_hash  # A copy of a folder is the same.
    Image.fromarray(make_image(91, 140)).save(path)
    other = PhotoFolder(folder, tmp_path / "cache")
    assert other.listing_hash != first.listing_hash


def test_names_that_are_not_unicode_and_links_to_nothing_do_no_harm(folder, tmp_path):
    try:
        (folder / "large.png").rename(folder / "\udcff.png")
    except OSError as error:
        pytest.skip(f"no such names here: {error}")
    (folder / "gone.png").symlink_to("nowhere")
    (folder / "folder.png").mkdir()
    for _ in range(2):
        photos = PhotoFolder(folder, tmp_path / "cache")
        assert photos.names == ["flat.webp", "\udcff.png"]
        assert photos.unreadable == ["broken.jpg"]
    assert not is_held_out("\udcff.png")


def _damaged_png(path, pixels):
    """A PNG with a wrong checksum, for which Pillow raises a SyntaxError."""
    Image.fromarray(pixels).save(path)
    data = bytearray(path.read_bytes())
    data[29] ^= 1  # Of the header's.
    path.write_bytes(data)


def _bomb(path):
    """A PNG of a few bytes that says it has 10 ** 12 pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 10**6, 10**6, 8, 2, 0, 0, 0)
    chunks = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunks + b"\0\0\0\0IDAT\x35\xaf\x06\x1e")


def test_a_damaged_photo_does_not_stop_the_others(tmp_path, make_image):
    _damaged_png(tmp_path / "a.png", make_image(70, 90))
    _bomb(tmp_path / "b.png")
    Image.fromarray(make_image(70, 90)).save(tmp_path / "c.png")
    photos = PhotoFolder(tmp_path, tmp_path / "cache")
    assert photos.unreadable == ["a.png", "b.png"]
    np.testing.assert_array_equal(photos[0], make_image(70, 90))


def test_photos_are_upright_and_sixteen_bits_become_eight(tmp_path, make_image):
    pixels = make_image(70, 90)
    exif = Image.Exif()
    exif[0x0112] = 6  # To be turned clockwise.
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    deep = pixels[..., 0].astype(np.uint16) * 257
    Image.fromarray(deep).save(tmp_path / "b.png")
    photos = PhotoFolder(tmp_path, tmp_path / "cache")
    np.testing.assert_array_equal(photos[0], np.rot90(pixels, -1))
    np.testing.assert_array_equal(photos[1], np.repeat(pixels[..., :1], 3, -1))


def test_a_batch_is_a_function_of_seed_and_step(folder, tmp_path):
    photos = PhotoFolder(folder, tmp_path / "cache")
    batch = make_batch(photos, 7, 16, 64, 1)
    assert batch.shape == (16, 64, 64, 3)
    assert batch.dtype == np.uint8
    np.testing.assert_array_equal(batch, make_batch(photos, 7, 16, 64, 1))
    assert (batch != make_batch(photos, 8, 16, 64, 1)).any()
    (images,) = batches(photos, 7, 8, 16, 64, 1)
    np.testing.assert_array_equal(images, batch)


def test_a_folder_without_photos_is_refused(tmp_path):
    with pytest.raises(ImageError, match="no photos found"):
        PhotoFolder(tmp_path, tmp_path / "cache")


def test_photos_over_max_pixels_are_left_out(tmp_path):
    Image.new("RGB", (9, 9)).save(tmp_path / "large.png")
    Image.new("RGB", (8, 9)).save(tmp_path / "small.png")
    cache = tmp_path / "cache"
    photos = PhotoFolder(tmp_path, cache, max_pixels=72)
    assert (photos.names, photos.unreadable) == (["small.png"], ["large.png"])
    for limit in (81, 0):  # Not what the cache of another limit says.
        photos = PhotoFolder(tmp_path, cache, max_pixels=limit)
        assert photos.names == ["large.png", "small.png"]


def test_a_folder_without_a_readable_photo_is_refused(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"no image")
    with pytest.raises(ImageError, match="no photo can be read$"):
        PhotoFolder(tmp_path, tmp_path / "cache")


def test_all_formats_that_compress_are_photos(tmp_path, make_image):
    photo = Image.fromarray(make_image(64, 96))
    for name in ("a.avif", "b.gif", "c.heic", "d.jp2", "e.tga"):
        write_image(tmp_path / name, Photo(np.asarray(photo)))
    photos = PhotoFolder(tmp_path, tmp_path / "cache")
    assert len(photos) == 5
    np.testing.assert_array_equal(photos[4], np.asarray(photo))
