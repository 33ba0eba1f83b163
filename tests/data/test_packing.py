"""Photos in one file."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tf_imgcomp.data.packing import pack_photos
from tf_imgcomp.data.photos import is_held_out
from tf_imgcomp.errors import ImageError
from tf_imgcomp.image_files.images import read_image


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    (folder / "deep").mkdir(parents=True)
    random = np.random.default_rng(1)
    for number in range(70, 80):
        pixels = random.integers(0, 256, (20, 30, 3), np.uint8)
        Image.fromarray(pixels).save(folder / "deep" / f"a_{number}.png")
    return folder


def test_photos_are_packed_as_they_are_and_apart(photos, tmp_path):
    packed = pack_photos(photos, tmp_path / "p.zip", 1e6)
    assert (packed.train, packed.held_out, packed.left) == (9, 1, 0)
    with zipfile.ZipFile(tmp_path / "p.zip") as file:
        for name in file.namelist():
            group, path = name.split("/", 1)
            assert is_held_out(path.split("/")[-1]) == (group == "held_out")
            assert file.read(name) == (photos / path).read_bytes()


def test_a_file_is_never_larger_than_allowed(photos, tmp_path):
    whole = tmp_path / "whole.zip"
    pack_photos(photos, whole, 1e6)
    size = whole.stat().st_size
    for limit in (size, size - 1, size // 2, size // 5):
        packed = pack_photos(photos, tmp_path / "p.zip", limit)
        assert (tmp_path / "p.zip").stat().st_size <= limit
        assert packed.train + packed.held_out + packed.left == 10
        assert (packed.left == 0) == (limit == size)


def test_packing_again_gives_the_same_choice(photos, tmp_path):
    names = []
    for output in (tmp_path / "1.zip", tmp_path / "2.zip"):
        pack_photos(photos, output, 8000)
        with zipfile.ZipFile(output) as file:
            names.append(file.namelist())
    assert names[0] == names[1]


def test_unreadable_photos_are_named_and_left_out(photos, tmp_path):
    (photos / "a_1.png").write_bytes(b"\x89PNG but not really")
    packed = pack_photos(photos, tmp_path / "p.zip", 1e6)
    assert packed.unreadable == ["a_1.png"]
    assert packed.train == 9


def test_names_that_are_not_unicode_are_escaped(photos, tmp_path):
    try:
        (photos / "deep/a_70.png").rename(photos / "\udcff.png")
    except OSError as error:
        pytest.skip(f"no such names here: {error}")
    packed = pack_photos(photos, tmp_path / "p.zip", 1e6)
    assert packed.train + packed.held_out == 10
    with zipfile.ZipFile(tmp_path / "p.zip") as file:
        names = [name.split("/", 1)[1] for name in file.namelist()]
    assert r"\xff.png" in names


def test_no_room_for_any_photo_is_an_error_and_no_file(photos, tmp_path):
    with pytest.raises(ImageError, match="no training photo fits into 100 bytes"):
        pack_photos(photos, tmp_path / "p.zip", 100)
    assert list(tmp_path.glob("p.*")) == []


def test_photos_that_pillow_alone_reads_otherwise_are_packed_as_png(photos, tmp_path):
    deep = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    Image.fromarray(deep).save(photos / "deep.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = Image.fromarray(np.zeros((9, 20, 3), np.uint8))
    turned.save(photos / "turned.jpg", exif=exif)
    pack_photos(photos, tmp_path / "p.zip", 1e6)
    with zipfile.ZipFile(tmp_path / "p.zip") as file:
        images = {Path(name).name: file.read(name) for name in file.namelist()}
    for name in ("deep.png", "turned.jpg"):
        with Image.open(io.BytesIO(images[f"{name}.png"])) as image:
            expected = read_image(photos / name).pixels
            np.testing.assert_array_equal(np.asarray(image), expected)
    assert len(images) == 12


def test_photos_over_max_pixels_are_left_out(photos, tmp_path):
    Image.new("RGB", (40, 30)).save(photos / "a_1.png")
    packed = pack_photos(photos, tmp_path / "p.zip", 1e6, max_pixels=600)
    assert packed.unreadable == ["a_1.png"]
