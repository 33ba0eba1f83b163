"""Batches of crops from a folder of photos."""

import numpy as np
import pytest
from PIL import Image

from tf_imgcomp.data.patches import batches, make_batch
from tf_imgcomp.data.photos import PhotoFolder
from tf_imgcomp.errors import ImageError


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
