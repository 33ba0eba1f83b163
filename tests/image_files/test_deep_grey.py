"""Grey of more than 8 bits, and TIFFs that are refused."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from tf_imgcomp.errors import ImageError
from tf_imgcomp.image_files.images import read_image, read_pillow_image

LEVELS = np.arange(256).reshape(8, 32)


def tiff(data, width, height, bits, *, kind=1, photometric=1, order="<"):
    """The bytes of a TIFF with uncompressed samples, one per pixel."""
    tags = {256: width, 257: height, 258: bits, 259: 1, 262: photometric, 273: 8}
    tags |= {277: 1, 278: height, 279: len(data), 339: kind}
    header = {"<": b"II*\0", ">": b"MM\0*"}[order]
    entries = [
        struct.pack(order + "HHII", tag, 4, 1, tags[tag]) for tag in sorted(tags)
    ]
    start = struct.pack(order + "I", 8 + len(data))
    count = struct.pack(order + "H", len(tags))
    return header + start + data + count + b"".join(entries) + bytes(4)


@pytest.fixture
def read(tmp_path):
    """Returns a function that reads a TIFF of samples `(8, 32)`."""

    def read_tiff(data, bits, **fields):
        path = tmp_path / "image.tif"
        path.write_bytes(tiff(data, 32, 8, bits, **fields))
        return read_image(path)

    return read_tiff


def packed(values):
    """Twelve bits each, two values in three bytes."""
    first, second = values.reshape(-1, 2).T
    bytes_ = first >> 4, (first & 15) << 4 | second >> 8, second & 255
    return np.stack(bytes_, -1).astype(np.uint8).tobytes()


def check(photo, note):
    np.testing.assert_array_equal(photo.pixels[..., 0], LEVELS)
    assert photo.grey
    assert photo.notes == (note,)


def test_twelve_bits_are_scaled_by_their_depth(read):
    photo = read(packed(np.rint(LEVELS * 4095 / 255).astype(int)), 12)
    check(photo, "12-bit samples reduced to 8 bits")


def test_white_is_zero_is_turned_around(read):
    data = (65535 - 257 * LEVELS).astype("<u2").tobytes()
    check(read(data, 16, photometric=0), "16-bit samples reduced to 8 bits")


def test_thirty_two_bits_without_sign_do_not_wrap(read):
    data = (LEVELS * 16843009).astype("<u4").tobytes()
    check(read(data, 32), "32-bit samples reduced to 8 bits")


def test_thirty_two_bits_that_use_few_values_are_stretched(read):
    photo = read((LEVELS * 1000).astype("<u4").tobytes(), 32)
    check(photo, "samples from 0 to 255000 stretched over 8 bits")


def test_sixteen_bits_with_sign_are_scaled_by_their_depth(read):
    data = np.rint(LEVELS * 32767 / 255).astype("<i2").tobytes()
    check(read(data, 16, kind=2), "16-bit samples reduced to 8 bits")


@pytest.mark.parametrize("is_loaded", [False, True])
@pytest.mark.parametrize("in_memory", [False, True])
@pytest.mark.parametrize(
    ("dtype", "scale", "bits", "fields"),
    [
        (None, 4095 / 255, 12, {}),
        ("<u2", -257, 16, {"photometric": 0}),
        ("<u4", 16843009, 32, {}),
        ("<i2", 32767 / 255, 16, {"kind": 2}),
    ],
)
def test_an_opened_tiff_is_read_like_its_file(
    tmp_path, dtype, scale, bits, fields, in_memory, is_loaded
):
    values = np.rint(LEVELS * scale) + (65535 if scale < 0 else 0)
    data = values.astype(dtype).tobytes() if dtype else packed(values.astype(int))
    path = tmp_path / "image.tif"
    path.write_bytes(tiff(data, 32, 8, bits, **fields))
    source = io.BytesIO(path.read_bytes()) if in_memory else path
    with Image.open(source) as image:
        if is_loaded:
            image.load()
        check(read_pillow_image(image), f"{bits}-bit samples reduced to 8 bits")


@pytest.fixture
def read_floats(tmp_path):
    def read_values(values):
        Image.fromarray(values.astype(np.float32)).save(tmp_path / "image.tif")
        return read_image(tmp_path / "image.tif")

    return read_values


@pytest.mark.parametrize("outlier", [1e6, -1e6, np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("peak", [1, 255])
def test_an_outlier_does_not_make_the_image_black(read_floats, outlier, peak):
    values = np.tile(LEVELS / 255 * peak, (8, 8))
    expected = np.tile(LEVELS, (8, 8))
    values[3, 5] = outlier
    photo = read_floats(values)
    assert photo.notes == (
        f"1 outlying samples clipped to [0, {peak}]",
        f"floating-point samples in [0, {peak}] reduced to 8 bits",
    )
    assert photo.pixels[3, 5, 0] == (255 if outlier > 0 else 0)
    differences = photo.pixels[..., 0].astype(int) - expected
    assert np.count_nonzero(differences) <= 1


def test_highlights_above_one_do_not_make_the_image_black(read_floats):
    values = np.linspace(0, 1.5, 256).reshape(8, 32)
    photo = read_floats(values)
    np.testing.assert_array_equal(photo.pixels[..., 0], LEVELS)


def test_no_number_at_all_is_refused(read_floats):
    with pytest.raises(ImageError, match="^no floating-point sample is a number$"):
        read_floats(np.full((4, 4), np.nan))


@pytest.mark.parametrize(
    ("bits", "fields", "kind"),
    [
        (
            64,
            {"kind": 3},
            "floating-point, little-endian, photometric interpretation 1",
        ),
        (16, {"photometric": 0, "order": ">"}, "unsigned, big-endian, photometric"),
        (12, {"order": ">"}, "unsigned, big-endian, photometric interpretation 1"),
        (8, {"kind": 2}, "signed, little-endian, photometric interpretation 1"),
    ],
)
def test_kinds_that_pillow_lacks_are_refused_with_the_reason(read, bits, fields, kind):
    message = f"^a TIFF that is not read: samples of {bits} bits, {kind}"
    with pytest.raises(ImageError, match=message):
        read(bytes(32 * bits), bits, **fields)


def test_a_tiff_without_its_directory_is_damaged(tmp_path):
    path = tmp_path / "image.tif"
    path.write_bytes(tiff(bytes(32 * 8), 32, 8, 8)[:99])
    message = "^damaged image: the file ends before its directory$"
    with pytest.raises(ImageError, match=message):
        read_image(path)


def test_rows_that_no_strip_has_are_refused(tmp_path):
    data = bytearray(tiff(bytes(32 * 8 * 2), 32, 8, 16))
    length = data.index(struct.pack("<HHII", 257, 4, 1, 8)) + 8
    data[length : length + 4] = struct.pack("<I", 100000)
    path = tmp_path / "image.tif"
    path.write_bytes(data)
    message = "^damaged image: 8 of 100000 rows are in the file$"
    with pytest.raises(ImageError, match=message):
        read_image(path)


def test_an_outlier_in_a_small_image_is_clipped(read_floats):
    values = LEVELS / 255
    values[0, 3] = 1e6
    photo = read_floats(values)
    assert photo.pixels[0, 3, 0] == 255
    np.testing.assert_array_equal(photo.pixels[1:, :, 0], LEVELS[1:])
