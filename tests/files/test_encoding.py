"""Photos to `.tfci` files of several tiles and back: whole, in part, as a preview."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from tests.stub_codec import StubCodec
from tf_imgcomp import bitstream
from tf_imgcomp.errors import BitstreamError, ImageError, ModelError
from tf_imgcomp.files import metadata_blocks, transparency
from tf_imgcomp.files.encoding import PhotoEncoder, decode
from tf_imgcomp.image_files.images import Photo
from tf_imgcomp.regions import Region

HEIGHT, WIDTH = 150, 130  # 3 x 3 tiles of the stub.
REGIONS = [
    Region(0, 0, HEIGHT, WIDTH),
    Region(3, 5, 7, 9),  # Within a tile.
    Region(60, 50, 10, 79),  # Across borders.
    Region(63, 64, 1, 1),
    Region(HEIGHT - 1, WIDTH - 1, 1, 1),
]


@pytest.fixture
def codec():
    return StubCodec()


@pytest.fixture
def photo(make_image):
    """Grey, with metadata, and transparent in two of its tiles."""
    alpha = np.full((HEIGHT, WIDTH), 255, np.uint8)
    alpha[70:140, 5:60] = make_image(70, 55)[..., 0]
    pixels = np.repeat(make_image(HEIGHT, WIDTH)[..., :1], 3, -1)
    return Photo(pixels, True, alpha, icc=b"profile" * 9, exif=b"II*\0")


@pytest.fixture
def file(codec, photo):
    return bitstream.unpack(PhotoEncoder(photo)(codec, 90).data)


def crop(pixels, region):
    top, left, height, width = region
    return pixels[top : top + height, left : left + width]


def test_all_of_a_photo_comes_back(codec, photo, file):
    decoded = decode(codec, file)
    assert np.abs(decoded.pixels.astype(int) - photo.pixels).max() <= 7
    np.testing.assert_array_equal(decoded.alpha, photo.alpha)
    assert (decoded.grey, decoded.icc, decoded.exif) == (True, photo.icc, photo.exif)
    assert decoded.notes == ()


@pytest.mark.parametrize("region", REGIONS, ids=str)
def test_a_region_is_that_part_of_the_whole(codec, file, region):
    whole, part = decode(codec, file), decode(codec, file, region)
    np.testing.assert_array_equal(part.pixels, crop(whole.pixels, region))
    np.testing.assert_array_equal(part.alpha, crop(whole.alpha, region))


def test_a_region_needs_only_its_tiles(codec, file):
    region = Region(0, 0, 64, 64)
    damaged = (file.alpha[0], *[b"\0?"] * 8)
    other = dataclasses.replace(file, alpha=damaged)
    np.testing.assert_array_equal(
        decode(codec, other, region).alpha, decode(codec, file, region).alpha
    )
    with pytest.raises(BitstreamError, match="^transparency is damaged"):
        decode(codec, other)


@pytest.mark.parametrize(
    "region",
    [
        Region(0, 0, HEIGHT + 1, WIDTH),
        Region(1, 0, 1, WIDTH + 1),
        Region(-1, 0, 2, 2),
        Region(0, WIDTH, 1, 1),
        Region(0, 0, 0, 1),
    ],
    ids=str,
)
def test_a_region_outside_of_the_image_is_refused(codec, file, region):
    message = f"^the image of {WIDTH}x{HEIGHT} pixels does not contain the region of "
    with pytest.raises(ImageError, match=message):
        decode(codec, file, region)


def test_memory_of_a_region_is_that_of_the_region(codec, file, monkeypatch):
    monkeypatch.setattr("tf_imgcomp.size_limits.available_memory", lambda: 64 * 64 * 20)
    assert decode(codec, file, Region(9, 9, 64, 64)).pixels.shape == (64, 64, 3)
    with pytest.raises(ImageError, match=f"^{WIDTH} x {HEIGHT} pixels need"):
        decode(codec, file)
    monkeypatch.setattr(codec, "tile", 0)  # Then all is decoded.
    file = dataclasses.replace(file, tile=0)
    with pytest.raises(ImageError, match=f"^{WIDTH} x {HEIGHT} pixels need"):
        decode(codec, file, Region(9, 9, 64, 64))


@pytest.mark.parametrize("scale", [2, 4, 8, 16])
def test_a_preview_comes_from_the_first_part(codec, photo, file, scale):
    data = bitstream.pack(file)
    cut = bitstream.unpack(data[: bitstream.first_part_size(data)], first_part=True)
    preview = decode(codec, cut, scale=scale)
    expected = Image.fromarray(photo.pixels).reduce(scale)
    assert np.abs(preview.pixels.astype(int) - np.asarray(expected)).max() <= 15
    expected = Image.fromarray(photo.alpha).reduce(scale)
    np.testing.assert_array_equal(preview.alpha, expected)
    assert (preview.icc, preview.exif) == (photo.icc, photo.exif)
    with pytest.raises(BitstreamError, match="the second part is missing"):
        decode(codec, cut)


@pytest.mark.parametrize(("region", "scale"), [(None, 3), (None, 0), (REGIONS[0], 2)])
def test_scales_that_do_not_exist_are_refused(codec, file, region, scale):
    message = f"Expected one of .* as scale, 1 with a region, received {scale}"
    with pytest.raises(ValueError, match=message):
        decode(codec, file, region, scale)


def test_opaque_tiles_cost_a_byte_and_opaque_photos_nothing(codec, photo, file):
    assert [bool(tile) for tile in file.alpha] == [False] * 3 + [True, False, False] * 2
    for alpha in (None, np.full((HEIGHT, WIDTH), 255, np.uint8)):
        opaque = dataclasses.replace(photo, alpha=alpha)
        assert PhotoEncoder(opaque)(codec, 90).file.alpha is None


def test_blocks_of_unknown_kinds_are_kept_and_noted(codec, file):
    blocks = (*file.blocks, (6, b"\0new"), (99, b"?"))
    other = bitstream.unpack(bitstream.pack(dataclasses.replace(file, blocks=blocks)))
    assert other.blocks == blocks
    decoded = decode(codec, other)
    assert decoded.exif == b"II*\0"
    assert decoded.notes == (
        "metadata of unknown kind 6 left out",
        "metadata of unknown kind 99 left out",
    )


def test_damaged_blocks_are_refused(codec, file):
    for kind in (bitstream.ICC, bitstream.TEXT):
        other = dataclasses.replace(file, blocks=((kind, b"\1nix"),))
        with pytest.raises(BitstreamError, match="^metadata is damaged"):
            decode(codec, other)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"fingerprint": 1}, ModelError, "needs model 'stub' with fingerprint 1,"),
        ({"tile": 128}, BitstreamError, "expected tiles of 64 pixels, received 128"),
    ],
)
def test_files_of_another_codec_are_refused(codec, file, change, error, message):
    with pytest.raises(error, match=message):
        decode(codec, dataclasses.replace(file, **change))


def test_metadata_and_alpha_are_coded_once(codec, photo, monkeypatch):
    encoder = PhotoEncoder(photo)
    encoder(codec, 50)
    monkeypatch.delattr(transparency, "encode_plane")
    monkeypatch.delattr(metadata_blocks, "encode_metadata")
    assert encoder(codec, 60).file.alpha == encoder(codec, 50).file.alpha
