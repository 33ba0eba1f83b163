"""Reading and writing images of all common kinds."""

import errno
import io
import struct
import threading
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageFile, PngImagePlugin, TiffImagePlugin

from tests.image_files.png_files import png
from tf_imgcomp import size_limits
from tf_imgcomp.errors import ImageError
from tf_imgcomp.image_files import exif
from tf_imgcomp.image_files.images import (
    Photo,
    grey_pixels,
    input_suffixes,
    output_format,
    read_image,
    read_pillow_image,
    write_image,
)
from tf_imgcomp.image_files.pillow_limits import limited_by_memory
from tf_imgcomp.image_files.samples import to_eight_bits

ORIENTATION = 0x0112
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.fixture
def pixels(make_image):
    return make_image(9, 13)


@pytest.fixture
def save(tmp_path):
    """Returns a function that saves a Pillow image and gives back the path."""

    def save_image(image, name="image.png", **options):
        path = tmp_path / name
        image.save(path, **options)
        return path

    return save_image


def profile(space):
    """Returns the first bytes of an ICC profile, with its colour space."""
    return SRGB[:16] + space + SRGB[20:]


def read_array(path):
    with Image.open(path) as image:
        return np.asarray(image)


@pytest.mark.parametrize("suffix", ["png", "tif", "bmp", "webp", "ppm", "tga", "jp2"])
def test_rgb_of_lossless_formats_is_read_exactly(pixels, save, suffix):
    options = {"lossless": True} if suffix == "webp" else {}
    photo = read_image(save(Image.fromarray(pixels), f"image.{suffix}", **options))
    np.testing.assert_array_equal(photo.pixels, pixels)
    assert (photo.grey, photo.alpha, photo.icc, photo.exif) == (False, None, None, None)
    assert photo.notes == ()


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1)])
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "LA"])
def test_smallest_sizes_keep_their_shape(save, mode, size):
    photo = read_image(save(Image.new(mode, size)))
    assert photo.pixels.shape == (*size[::-1], 3)
    assert photo.grey == (mode in ("L", "LA"))


@pytest.mark.parametrize("mode", ["L", "1"])
def test_grey_is_told_and_repeated(pixels, save, mode):
    image = Image.fromarray(pixels).convert(mode)
    photo = read_image(save(image))
    assert photo.grey
    for channel in range(3):
        expected = np.asarray(image.convert("L"))
        np.testing.assert_array_equal(photo.pixels[..., channel], expected)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_is_kept_unless_opaque(pixels, save, mode):
    image = Image.fromarray(pixels).convert(mode)
    assert read_image(save(image)).alpha is None
    alpha = pixels[..., 1]
    image.putalpha(Image.fromarray(alpha))
    np.testing.assert_array_equal(read_image(save(image)).alpha, alpha)


def test_palette_becomes_rgb(pixels, save):
    image = Image.fromarray(pixels).quantize(16)
    photo = read_image(save(image))
    np.testing.assert_array_equal(photo.pixels, np.asarray(image.convert("RGB")))
    assert not photo.grey
    assert photo.alpha is None


@pytest.mark.parametrize("transparency", [3, bytes(range(0, 160, 10))])
def test_transparent_palette_entries_become_alpha(pixels, save, transparency):
    image = Image.fromarray(pixels).quantize(16)
    path = save(image, transparency=transparency)
    indexes = np.asarray(image)
    table = np.full(256, 255)
    if isinstance(transparency, int):
        table[transparency] = 0
    else:
        table[:16] = list(transparency)
    np.testing.assert_array_equal(read_image(path).alpha, table[indexes])


def test_palette_with_alpha_mode_becomes_rgba(pixels, save):
    image = Image.fromarray(pixels).convert("P").convert("PA")
    image.putalpha(Image.fromarray(pixels[..., 0]))
    photo = read_image(save(image, "image.tif"))
    assert photo.pixels.shape == pixels.shape


def test_transparent_colour_of_grey_and_rgb_becomes_alpha(save):
    grey = read_image(save(Image.new("L", (2, 2), 7), transparency=7))
    assert grey.grey
    assert grey.alpha.max() == 0
    colour = read_image(save(Image.new("RGB", (2, 2), "red"), transparency=(255, 0, 0)))
    assert colour.alpha.max() == 0


@pytest.mark.parametrize("suffix", ["png", "tif", "pgm"])
def test_sixteen_bit_grey_is_rounded_not_clipped(save, suffix):
    values = np.arange(0, 65536, 13, dtype=np.uint16)[:5000].reshape(50, 100)
    photo = read_image(save(Image.fromarray(values), f"image.{suffix}"))
    np.testing.assert_array_equal(photo.pixels[..., 0], np.rint(values / 257))
    assert photo.grey
    assert photo.notes == ("16-bit samples reduced to 8 bits",)


def test_transparent_value_of_sixteen_bit_grey_becomes_alpha(save):
    values = np.array([[1000, 2000]], np.uint16)
    photo = read_image(save(Image.fromarray(values), transparency=2000))
    np.testing.assert_array_equal(photo.alpha, [[255, 0]])


@pytest.mark.parametrize(("channels", "colour_type"), [(3, 2), (4, 6)])
def test_sixteen_bit_colour_is_rounded(tmp_path, channels, colour_type):
    values = np.random.default_rng(0).integers(0, 65536, (40, 30, channels))
    path = tmp_path / "image.png"
    path.write_bytes(png(values, colour_type))
    photo = read_image(path)
    expected = np.rint(values / 257)
    np.testing.assert_array_equal(photo.pixels, expected[..., :3])
    if channels == 4:
        np.testing.assert_array_equal(photo.alpha, expected[..., 3])
    assert photo.notes == ("16-bit samples reduced to 8 bits",)


def test_transparent_colour_of_sixteen_bits_becomes_alpha(tmp_path):
    path = tmp_path / "image.png"
    clear = b"tRNS", struct.pack(">HHH", 1000, 2000, 3000)
    values = np.array([[[1000, 2000, 3000], [9000, 2000, 3000]]])
    path.write_bytes(png(values, 2, clear))
    np.testing.assert_array_equal(read_image(path).alpha, [[0, 255]])


def test_sixteen_bit_grey_with_alpha_stays_grey(tmp_path):
    values = np.random.default_rng(0).integers(0, 65536, (4, 3, 2))
    path = tmp_path / "image.png"
    path.write_bytes(png(values, 4))
    photo = read_image(path)
    assert photo.grey
    assert photo.alpha.shape == (4, 3)
    assert photo.notes == ("16-bit samples reduced to 8 bits",)


@pytest.mark.parametrize(
    ("low", "high", "note"),
    [
        (0, 1, "floating-point samples in [0, 1] reduced to 8 bits"),
        (0, 255, "floating-point samples in [0, 255] reduced to 8 bits"),
        (-3, 1000, "samples from -3 to 1000 stretched over 8 bits"),
        (5000, 5000, "samples from 5000 to 5000 stretched over 8 bits"),
    ],
)
def test_floating_point_is_scaled_by_its_range(save, low, high, note):
    values = np.linspace(low, high, 20, dtype=np.float32).reshape(4, 5)
    photo = read_image(save(Image.fromarray(values), "image.tif"))
    assert photo.notes == (note,)
    assert photo.pixels.min() == 0
    assert photo.pixels.max() == (255 if high > low else 0)


def test_thirty_two_bit_integers_are_stretched(save):
    values = np.array([[-5, 70000]], np.int32)
    photo = read_image(save(Image.fromarray(values), "image.tif"))
    np.testing.assert_array_equal(photo.pixels[..., 0], [[0, 255]])
    assert photo.notes == ("samples from -5 to 70000 stretched over 8 bits",)


def converted(pixels, mode):
    image = Image.fromarray(pixels)
    if mode == "RGBa":
        return image.convert("RGBA").convert(mode)
    if mode != "LAB":
        return image.convert(mode)
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    return ImageCms.profileToProfile(image, srgb, lab, outputMode="LAB")


@pytest.mark.parametrize("mode", ["CMYK", "LAB"])
def test_other_colour_spaces_are_converted_and_said_so(pixels, save, mode):
    photo = read_image(save(converted(pixels, mode), "image.tif"))
    assert photo.notes == (f"{mode} converted to RGB",)
    assert np.abs(photo.pixels.astype(int) - pixels).max() < 40


@pytest.mark.parametrize("mode", ["CMYK", "LAB", "YCbCr", "HSV", "RGBX", "RGBa"])
def test_modes_that_no_file_was_made_for_become_rgb(pixels, mode):
    samples, _ = to_eight_bits(converted(pixels, mode), "", io.BytesIO(), [])
    assert np.abs(samples.astype(int) - pixels).max() < 40


def cmyk_profile():
    """Returns an ICC profile whose four inks only darken a neutral grey."""
    inks = np.indices((2, 2, 2, 2)).reshape(4, -1).sum(0)
    lab = np.stack([255 * (inks == 0), np.full(16, 128), np.full(16, 128)], -1)
    ramps = bytes(range(256))
    matrix = struct.pack(">9i", *(65536 * np.eye(3, dtype=int)).flat)
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + matrix
    table += 4 * ramps + lab.astype(np.uint8).tobytes() + 3 * ramps
    head = struct.pack(">I4sI4s4s4s", 0, b"lcms", 0x02400000, b"prtr", b"CMYK", b"Lab ")
    head += bytes(12) + b"acsp" + bytes(28)
    head += struct.pack(">3i", 63190, 65536, 54061)  # The white point D50.
    head = head.ljust(128, b"\0") + struct.pack(">I4sII", 1, b"A2B0", 144, len(table))
    return struct.pack(">I", len(head + table)) + (head + table)[4:]


def test_cmyk_is_converted_by_its_profile(save):
    image = Image.new("CMYK", (2, 1))
    image.putpixel((1, 0), (255, 0, 0, 0))
    photo = read_image(save(image, "image.tif", icc_profile=cmyk_profile()))
    np.testing.assert_array_equal(photo.pixels[0, :, 0], [255, 0])
    assert photo.icc is None
    assert photo.notes == ("CMYK converted to sRGB by its ICC profile",)


def test_profile_of_cmyk_does_not_stay_with_rgb(pixels, save):
    cmyk = Image.fromarray(pixels).convert("CMYK")
    damaged = profile(b"CMYK")  # Its header says CMYK, but its tables are for RGB.
    photo = read_image(save(cmyk, "image.tif", icc_profile=damaged))
    assert photo.icc is None
    assert photo.notes == (
        "ICC profile is damaged and was dropped",
        "CMYK converted to RGB",
    )


def test_icc_profile_is_kept_only_with_its_colour_space(pixels, save):
    colour = Image.fromarray(pixels)
    assert read_image(save(colour, icc_profile=SRGB)).icc == SRGB
    photo = read_image(save(colour.convert("L"), icc_profile=SRGB))
    assert photo.icc is None
    assert photo.notes == ("ICC profile for RGB dropped: the pixels are grey",)
    grey = profile(b"GRAY")
    assert read_image(save(colour.convert("L"), icc_profile=grey)).icc == grey


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "webp", "tif"])
def test_orientation_is_applied_and_reset(pixels, save, suffix, orientation):
    tags = Image.Exif()
    tags[ORIENTATION] = orientation
    tags[0x010F] = "Maker"
    tags[0x8769] = {0x9003: "2024:01:02 03:04:05"}
    options = {"lossless": True} if suffix == "webp" else {}
    image = Image.fromarray(pixels)
    path = save(image, f"image.{suffix}", exif=tags.tobytes(), **options)
    photo = read_image(path)
    upright = {
        1: pixels,
        2: pixels[:, ::-1],
        3: pixels[::-1, ::-1],
        4: pixels[::-1],
        5: pixels.transpose(1, 0, 2),
        6: np.rot90(pixels, -1),
        7: pixels[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(pixels),
    }[orientation]
    np.testing.assert_array_equal(photo.pixels, upright)
    kept = Image.Exif()
    kept.load(photo.exif)
    assert kept.get(ORIENTATION, 1) == 1
    assert kept[0x010F] == "Maker"
    assert kept.get_ifd(0x8769)[0x9003] == "2024:01:02 03:04:05"


def test_exif_of_a_jpeg_is_kept_byte_by_byte(pixels, save):
    tags = Image.Exif()
    tags[ORIENTATION] = 1
    tags[0x010F] = "Maker"
    path = save(Image.fromarray(pixels), "image.jpg", exif=tags)
    with Image.open(path) as image:
        assert read_image(path).exif == image.info["exif"][6:]


@pytest.mark.parametrize("exif", [b"II", b"no TIFF at all", b"II*\0\xff\xff\xff\xff"])
def test_damaged_exif_is_dropped_and_said_so(pixels, save, exif):
    path = save(Image.fromarray(pixels), "image.webp", exif=exif, lossless=True)
    photo = read_image(path)
    np.testing.assert_array_equal(photo.pixels, pixels)
    assert photo.exif is None
    assert photo.notes == ("EXIF is damaged and was dropped",)


@pytest.mark.parametrize("suffix", ["gif", "tif", "webp", "png"])
def test_first_frame_is_taken_and_said_so(save, suffix):
    frames = [Image.new("RGB", (8, 6), colour) for colour in ("red", "green", "blue")]
    options = {"lossless": True} if suffix == "webp" else {}
    path = save(
        frames[0],
        f"image.{suffix}",
        save_all=True,
        append_images=frames[1:],
        **options,
    )
    photo = read_image(path)
    np.testing.assert_array_equal(photo.pixels[0, 0], [255, 0, 0])
    count = "several" if suffix == "tif" else 3
    assert photo.notes == (f"first frame of {count} only",)


def test_frames_of_a_tiff_are_not_counted(save, monkeypatch):
    """Pillow takes quadratic time for it."""
    monkeypatch.delattr(TiffImagePlugin.TiffImageFile, "n_frames")
    frame = Image.new("L", (2, 2))
    assert read_image(save(frame, "image.tif")).notes == ()
    path = save(frame, "image.tif", save_all=True, append_images=[frame])
    assert read_image(path).notes == ("first frame of several only",)


def test_an_opened_image_names_what_its_file_holds_besides(save, tmp_path):
    frames = [Image.new("RGB", (4, 3), colour) for colour in ("red", "green", "blue")]
    path = save(frames[0], "image.gif", save_all=True, append_images=frames[1:])
    with Image.open(path) as image:
        assert read_pillow_image(image).notes == ("first frame of 3 only",)
        image.seek(2)
        photo = read_pillow_image(image)
        assert photo.notes == ("frame 3 of 3 only",)
        assert photo.pixels[0, 0].tolist() == [0, 0, 255]
        assert image.tell() == 2
    text = PngImagePlugin.PngInfo()
    text.add_text("Title", "one")
    path = save(frames[0], pnginfo=text)
    with Image.open(path) as image:
        assert read_pillow_image(image).text == (("Title", "one"),)
    path.write_bytes(png(np.full((2, 3, 3), 256 * 77 + 200), 2))
    with Image.open(path) as image:
        photo = read_pillow_image(image)
    assert photo.notes == ("16-bit samples reduced to 8 bits",)
    assert (photo.pixels == 77).all()


def test_an_opened_image_is_read_though_its_file_is_gone_or_another_one(
    save, pixels, tmp_path
):
    path = save(Image.fromarray(pixels), "image.tif")
    with Image.open(path) as image:
        image.load()
        path.unlink()
        np.testing.assert_array_equal(read_pillow_image(image).pixels, pixels)
        path.write_bytes(b"other")
        np.testing.assert_array_equal(read_pillow_image(image).pixels, pixels)


def test_empty_and_foreign_files_are_refused(tmp_path):
    path = tmp_path / "image.png"
    path.write_bytes(b"")
    with pytest.raises(ImageError, match="^the file is empty$"):
        read_image(path)
    path.write_bytes(b"not an image\n")
    with pytest.raises(ImageError, match="^not an image of a known format$"):
        read_image(path)
    with pytest.raises(FileNotFoundError):
        read_image(tmp_path / "missing.png")


@pytest.mark.parametrize(
    "suffix", ["png", "jpg", "gif", "tif", "webp", "bmp", "jp2", "avif", "tga", "ppm"]
)
def test_truncated_images_are_refused(make_image, save, suffix):
    path = save(Image.fromarray(make_image(64, 64)), f"image.{suffix}")
    data = path.read_bytes()
    for size in (len(data) // 50, len(data) // 2, len(data) * 9 // 10):
        path.write_bytes(data[:size])
        with pytest.raises(ImageError, match="^(damaged image: |not an image)") as info:
            read_image(path)
        assert "\n" not in str(info.value)


def test_sizes_beyond_memory_are_refused_before_decoding(tmp_path, monkeypatch):
    path = tmp_path / "bomb.png"
    data = png(np.zeros((1, 1, 3)), 2)
    header = b"IHDR" + struct.pack(">IIBBBBB", 60000, 50000, 8, 2, 0, 0, 0)
    crc = struct.pack(">I", zlib.crc32(header))
    path.write_bytes(data[:12] + header + crc + data[33:])
    message = "60000 x 50000 pixels exceed the limit of 500000000 \\(max_pixels\\)"
    with pytest.raises(ImageError, match=f"^{message}$"):
        read_image(path)
    monkeypatch.setattr(size_limits, "available_memory", lambda: 20 * 10**9)
    message = "60000 x 50000 pixels need 60.0 GB of memory, 20.0 GB are available"
    with pytest.raises(ImageError, match=f"^{message}$"):
        read_image(path, lambda height, width: 20 * height * width, max_pixels=0)
    monkeypatch.setattr(size_limits, "available_memory", lambda: 10**9)
    message = r"too large for the available memory: .*3000000000 pixels"
    with pytest.raises(ImageError, match=f"^{message}"):
        read_image(path, lambda height, width: 20 * height * width, max_pixels=0)


def test_nested_images_larger_than_their_file_says_are_refused(
    make_image, save, monkeypatch
):
    icon = save(Image.fromarray(make_image(64, 64)), "image.ico", sizes=[(64, 64)])
    data = bytearray(icon.read_bytes())
    data[6:8] = 16, 16  # The directory of the icon says 16 x 16 pixels.
    icon.write_bytes(data)
    monkeypatch.setattr(size_limits, "available_memory", lambda: 64 * 64 * 4 - 1)
    with pytest.raises(ImageError, match="^too large for the available memory"):
        read_image(icon)
    assert Image.MAX_IMAGE_PIXELS > 10**6  # Restored.


def test_an_image_that_waits_for_memory_does_not_stop_others(pixels, save):
    path = save(Image.fromarray(pixels))
    is_stopped = []

    def waits_for_another_image(height, width):
        other = threading.Thread(target=read_image, args=[path], daemon=True)
        other.start()
        other.join(timeout=20)
        is_stopped.append(other.is_alive())
        return 0

    read_image(path, waits_for_another_image)
    assert is_stopped == [False]


def test_exif_waits_for_the_warnings_of_another_thread():
    tags = Image.Exif()
    tags[0x011A] = tags[0x011B] = 72.0
    filters, dpi = list(warnings.filters), []
    thread = threading.Thread(target=lambda: dpi.append(exif.read_dpi(tags.tobytes())))
    with limited_by_memory():  # It would restore the filters of this context.
        thread.start()
        thread.join(timeout=0.2)
        assert thread.is_alive()
    thread.join(timeout=20)
    assert dpi == [(72.0, 72.0)]
    assert warnings.filters == filters


def test_more_pixels_than_allowed_are_refused(tmp_path):
    path = tmp_path / "image.png"
    Image.new("RGB", (4, 3)).save(path)
    assert read_image(path, max_pixels=12).pixels.shape == (3, 4, 3)
    message = "^4 x 3 pixels exceed the limit of 11 \\(max_pixels\\)$"
    with pytest.raises(ImageError, match=message):
        read_image(path, max_pixels=11)


def test_too_little_memory_in_pillow_is_told(tmp_path, make_image, monkeypatch):
    def fail(self):
        raise MemoryError

    path = tmp_path / "image.png"
    Image.fromarray(make_image(8, 9)).save(path)
    monkeypatch.setattr(ImageFile.ImageFile, "load", fail)
    with pytest.raises(ImageError, match="^not enough memory$"):
        read_image(path)


def test_available_memory_is_plausible():
    assert 2**26 < size_limits.available_memory() < 2**50


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("transparent", [False, True])
@pytest.mark.parametrize("suffix", ["png", "webp", "tif"])
def test_what_is_written_is_read_again(pixels, tmp_path, suffix, transparent, grey):
    tags = Image.Exif()
    tags[0x010F] = "Maker"
    photo = Photo(
        pixels=grey_pixels(pixels) if grey else pixels,
        grey=grey,
        alpha=pixels[..., 0] if transparent else None,
        icc=profile(b"GRAY") if grey else SRGB,
        exif=tags.tobytes().removeprefix(b"Exif\0\0"),
    )
    path = tmp_path / f"image.{suffix}"
    assert write_image(path, photo) == ()
    read = read_image(path)
    np.testing.assert_array_equal(read.alpha, photo.alpha)
    if suffix != "webp":  # It has no grey, and colours below alpha 0 are lost.
        np.testing.assert_array_equal(read.pixels, photo.pixels)
        assert read.grey == grey
        assert read.icc == photo.icc
    assert b"Maker" in read.exif


def test_grey_is_written_as_grey(pixels, tmp_path):
    photo = Photo(grey_pixels(pixels), grey=True)
    for name in ("image.png", "image.jpg"):
        write_image(tmp_path / name, photo)
        assert read_array(tmp_path / name).shape == pixels.shape[:2]


def test_what_a_format_cannot_hold_is_said(pixels, tmp_path):
    photo = Photo(pixels, alpha=np.zeros(pixels.shape[:2], np.uint8), icc=SRGB)
    notes = write_image(tmp_path / "image.bmp", photo)
    assert notes == (
        "transparency replaced by white: BMP cannot store it",
        "ICC profile dropped: BMP cannot store this",
    )
    assert read_array(tmp_path / "image.bmp").min() == 255


@pytest.mark.parametrize("name", ["image.xyz", "image", "image.psd"])
def test_formats_that_pillow_does_not_write_are_refused(name, tmp_path):
    with pytest.raises(ImageError, match="^cannot write images with the extension '"):
        output_format(tmp_path / name)


def test_an_image_that_its_format_cannot_hold_leaves_no_file(tmp_path):
    photo = Photo(np.zeros((1, 20000, 3), np.uint8))
    with pytest.raises(ImageError, match="^cannot be written as WEBP: "):
        write_image(tmp_path / "image.webp", photo)
    assert list(tmp_path.iterdir()) == []


def test_grey_pixels_are_the_rounded_mean():
    pixels = np.array([[[1, 1, 2], [1, 2, 2], [255, 255, 255]]], np.uint8)
    np.testing.assert_array_equal(grey_pixels(pixels)[0, :, 1], [1, 2, 255])


def test_extensions_of_photos_are_known():
    assert {".jpg", ".jpeg", ".png", ".webp", ".tif", ".avif"} <= input_suffixes()


def test_a_full_disk_is_the_systems_error(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", fail)
    photo = Photo(np.zeros((2, 2, 3), np.uint8))
    with pytest.raises(OSError, match="No space left on device: '.*new.png'"):
        write_image(tmp_path / "new.png", photo)
    assert list(tmp_path.iterdir()) == []
