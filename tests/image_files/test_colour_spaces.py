"""Colours that files name without an ICC profile."""

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from tests.image_files.png_files import png
from tf_imgcomp.image_files import icc, transfer
from tf_imgcomp.image_files.images import (
    Photo,
    read_image,
    read_pillow_image,
    write_image,
)
from tf_imgcomp.image_files.transfer import Parametric

ADOBE = (0.3127, 0.329, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
SRGB = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def gama(value):
    return b"gAMA", struct.pack(">I", round(100000 * value))


def chrm(values):
    return b"cHRM", struct.pack(">8I", *(round(100000 * v) for v in values))


def cicp(primaries, curve):
    return b"cICP", bytes([primaries, curve, 0, 1])


@pytest.fixture
def read(tmp_path, make_image):
    """Returns a function that reads a small PNG with further chunks."""

    def read_png(*chunks, colour_type=2):
        pixels = make_image(8, 9)[..., : 3 if colour_type == 2 else 1]
        path = tmp_path / "image.png"
        path.write_bytes(png(pixels, colour_type, *chunks, depth=8))
        photo = read_image(path)
        return photo, pixels

    return read_png


def shown(icc):
    """A colour with this profile, in sRGB."""
    colour = Image.new("RGB", (1, 1), (128, 60, 30))
    profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    srgb = ImageCms.createProfile("sRGB")
    return ImageCms.profileToProfile(colour, profile, srgb).getpixel((0, 0))


def description(icc):
    return ImageCms.ImageCmsProfile(io.BytesIO(icc)).profile.profile_description


@pytest.mark.parametrize(
    "chunks",
    [
        (),
        (gama(0.45455),),
        (gama(0.45455), chrm(SRGB)),
        (chrm(SRGB),),
        (cicp(1, 13),),
        (cicp(2, 2),),
        ((b"sRGB", b"\0"), gama(0.3), chrm(ADOBE)),
    ],
)
def test_srgb_needs_no_profile(read, chunks):
    photo, pixels = read(*chunks)
    assert (photo.icc, photo.notes) == (None, ())
    np.testing.assert_array_equal(photo.pixels, pixels)


@pytest.mark.parametrize(
    ("chunks", "name"),
    [
        ((gama(0.45455), chrm(ADOBE)), "PNG gAMA, cHRM"),
        ((gama(0.55556),), "PNG gAMA, cHRM"),
        ((cicp(12, 13),), "Display P3"),
        ((cicp(9, 14),), "BT.2020"),
        ((cicp(1, 1),), "BT.709"),
        ((cicp(10, 13),), "XYZ"),
        ((cicp(12, 13), (b"sRGB", b"\0")), "Display P3"),
    ],
)
def test_other_colours_get_a_profile_and_keep_their_values(read, chunks, name):
    photo, pixels = read(*chunks)
    assert description(photo.icc) == name
    assert photo.notes == ()
    np.testing.assert_array_equal(photo.pixels, pixels)


def test_adobe_colours_are_those_that_the_file_says(read):
    photo, _ = read(gama(0.45455), chrm(ADOBE))
    grey = Image.new("RGB", (1, 1), (128, 128, 128))
    profile = ImageCms.ImageCmsProfile(io.BytesIO(photo.icc))
    srgb = ImageCms.createProfile("sRGB")
    found = ImageCms.profileToProfile(grey, profile, srgb, renderingIntent=1)
    expected = 255 * transfer.to_srgb_curve(np.array((128 / 255) ** 2.2))
    np.testing.assert_allclose(np.asarray(found)[0, 0], expected, atol=1)


def test_linear_light_gets_the_curve_of_srgb_before_rounding(tmp_path):
    levels = np.arange(256)
    light = transfer.SRGB.to_linear(levels / 255)
    values = np.rint(65535 * light).astype(int)[None, :, None].repeat(3, -1)
    path = tmp_path / "image.png"
    for colour_type, channels in ((2, 3), (0, 1)):
        path.write_bytes(png(values[..., :channels], colour_type, gama(1)))
        photo = read_image(path)
        np.testing.assert_array_equal(photo.pixels[0, :, 0], levels)
        assert photo.icc is None
        assert photo.notes[0] == "linear light converted to sRGB's curve"


def test_transparent_colour_of_linear_light_stays_transparent(tmp_path):
    path = tmp_path / "image.png"
    clear = b"tRNS", struct.pack(">HHH", 1000, 2000, 3000)
    values = np.array([[[1000, 2000, 3000], [9000, 2000, 3000]]])
    path.write_bytes(png(values, 2, gama(1), clear))
    np.testing.assert_array_equal(read_image(path).alpha, [[0, 255]])


def test_grey_gets_a_profile_of_grey(read):
    photo, _ = read(gama(0.55556), colour_type=0)
    assert photo.icc[16:20] == b"GRAY"
    assert read(cicp(12, 13), colour_type=0)[0].icc is None


@pytest.mark.parametrize(("curve", "name"), [(16, "PQ"), (18, "HLG")])
def test_high_dynamic_range_is_reduced_with_a_note(read, curve, name):
    photo, _ = read(cicp(9, curve))
    assert description(photo.icc) == "BT.2020"
    assert photo.notes == (f"high dynamic range ({name}) reduced to the range of sRGB",)


@pytest.mark.parametrize(
    "chunk", [chrm([0] * 8), chrm([2e4, 1e-5, 2e4, 3, 1, 2e4, 5, 7]), gama(1e-5)]
)
def test_damaged_colours_are_dropped_with_a_note(read, chunk):
    photo, pixels = read(chunk)
    assert photo.icc is None
    assert photo.notes == ("the colour space is damaged and was dropped",)
    np.testing.assert_array_equal(photo.pixels, pixels)


def with_nclx(path, primaries, curve):
    """Sets the colours in a file that says sRGB."""
    data = path.read_bytes()
    at = data.index(b"colrnclx") + 8
    path.write_bytes(data[:at] + struct.pack(">HH", primaries, curve) + data[at + 4 :])


@pytest.mark.parametrize("suffix", ["avif", "heic"])
def test_nclx_of_avif_and_heic_becomes_a_profile(tmp_path, make_image, suffix):
    pytest.importorskip("pillow_heif").register_heif_opener()
    path = tmp_path / f"image.{suffix}"
    nclx = {"color_primaries": 1, "transfer_characteristics": 13}
    Image.fromarray(make_image(64, 96)).save(path, **nclx if suffix == "heic" else {})
    before = read_image(path)
    assert (before.icc, before.notes) == (None, ())
    with_nclx(path, 12, 13)
    photo = read_image(path)
    assert description(photo.icc) == "Display P3"
    np.testing.assert_array_equal(photo.pixels, before.pixels)
    with_nclx(path, 9, 16)
    assert "high dynamic range (PQ)" in read_image(path).notes[0]


# Grey of 128, 8x8, with primaries of BT.2020 and several curves; by libjxl in FFmpeg.
JPEG_XL = {
    "PQ": (
        "ff0a41049090478f381c00000000020013880200b000b59f200000152aa38c1bbc9cebf9f243"
        "87c5b48deb0c6db56d610963b3bd304848386b18dacdf96388512509"
    ),
    "HLG": (
        "ff0a410490906720d06300000000080013880200b000b59f200000152aa38c1bbc9cebf9f243"
        "87c5b48deb0c6db56d610963b3bd304848386b18dacd316188512509"
    ),
    "linear": (
        "ff0a4140421e2d020013880200b000b59f200000152aa38c1bbc9cebf9f24387c5b48deb0c6d"
        "b56d610963b3bd304848386b18dacd996588512509"
    ),
    "sRGB": (
        "ff0a4140421e37020013880200b000b59f200000152aa38c1bbc9cebf9f24387c5b48deb0c6d"
        "b56d610963b3bd304848386b18dacd816188512509"
    ),
}


@pytest.mark.parametrize(
    ("curve", "grey", "note"),
    [
        ("PQ", 181, "high dynamic range (PQ) reduced to the range of sRGB"),
        ("HLG", 137, "high dynamic range (HLG) reduced to the range of sRGB"),
        ("linear", 188, "linear light converted to sRGB's curve"),
    ],
)
def test_jpeg_xl_is_converted_like_a_png_of_the_same_colours(
    tmp_path, curve, grey, note
):
    path = tmp_path / "image.jxl"
    path.write_bytes(bytes.fromhex(JPEG_XL[curve]))
    photo = read_image(path)
    assert photo.notes == (note,)
    assert description(photo.icc) == "BT.2020"
    np.testing.assert_allclose(photo.pixels, grey, atol=4)  # JPEG XL is lossy.
    code_point = {"PQ": 16, "HLG": 18, "linear": 8}[curve]
    path.write_bytes(png(np.full((8, 8, 3), 128), 2, cicp(9, code_point), depth=8))
    alike = read_image(path)
    assert (alike.notes, alike.icc) == (photo.notes, photo.icc)
    np.testing.assert_allclose(alike.pixels, grey, atol=1)


# As above, but grey, or with primaries of film, which JPEG XL has no code point for.
WITHOUT_CODE_POINTS = {
    "film, PQ": (
        "ff0a41049020045e9780492308854cc1f00638b50be45140b31168bfd0230e07000000800013"
        "880200b000b59f200000152aa38c1bbc9cebf9f24387c5b48deb0c6db56d610963b3bd304848"
        "386b18dacdf96388512509"
    ),
    "film, HLG": (
        "ff0a41049020045e9780492308854cc1f00638b50be45140b31168bf1808f418000000000200"
        "13880200b000b59f200000152aa38c1bbc9cebf9f24387c5b48deb0c6db56d610963b3bd3048"
        "48386b18dacd316188512509"
    ),
    "grey, PQ": (
        "ff0a410490143de27000000000080013880200b000b59f200000152aa38c1bbc9cebf9f24387"
        "c5b48deb0c6db56d610963b3bd304848386b18dacdf96388512509"
    ),
}


@pytest.mark.parametrize("kind", WITHOUT_CODE_POINTS)
def test_jpeg_xl_without_code_points_is_converted_like_one_with_them(tmp_path, kind):
    path = tmp_path / "image.jxl"
    path.write_bytes(bytes.fromhex(WITHOUT_CODE_POINTS[kind]))
    photo = read_image(path)
    with Image.open(path) as image:
        profile = image.info["icc_profile"]
    assert icc.read_code_points(profile) is None
    primaries, curve = kind.split(", ")
    path.write_bytes(bytes.fromhex(JPEG_XL[curve]))
    alike = read_image(path)
    assert photo.notes == alike.notes
    np.testing.assert_allclose(photo.pixels, alike.pixels, atol=4)  # Lossy.
    if primaries == "grey":
        assert photo.grey
        assert photo.icc is None  # As sRGB.
    else:
        film = (0.31, 0.316, 0.681, 0.319, 0.243, 0.692, 0.145, 0.049)
        np.testing.assert_allclose(icc.read_primaries(photo.icc), film, atol=1e-3)


@pytest.mark.parametrize("kind", ["film, PQ", "grey, PQ"])
def test_a_profile_of_high_dynamic_range_is_noted_in_all_formats(tmp_path, kind):
    path = tmp_path / "image.jxl"
    path.write_bytes(bytes.fromhex(WITHOUT_CODE_POINTS[kind]))
    photo = read_image(path)
    with Image.open(path) as image:
        assert read_pillow_image(image).notes == photo.notes
        image.save(tmp_path / "image.png", icc_profile=image.info["icc_profile"])
    alike = read_image(tmp_path / "image.png")
    assert (alike.notes, alike.icc) == (photo.notes, photo.icc)
    np.testing.assert_array_equal(alike.pixels, photo.pixels)


def test_a_profile_of_linear_or_common_curves_has_no_high_dynamic_range(tmp_path):
    path = tmp_path / "image.png"
    for curve in (transfer.LINEAR, transfer.SRGB, Parametric(2.2)):
        light = np.rint(65535 * curve.to_linear(np.linspace(0, 1, 64)))
        table = struct.pack(">4sII64H", b"curv", 0, 64, *light.astype(int))
        profile = icc.make_profile(
            "table", SRGB[:2], [SRGB[n : n + 2] for n in (2, 4, 6)], curve, grey=False
        )
        at = profile.index(b"rTRC") + 4
        profile = (
            profile[:at]
            + struct.pack(">II", len(profile), len(table))
            + profile[at + 8 :]
        ) + table
        np.testing.assert_allclose(icc.read_table(profile), light / 65535)
        Image.new("RGB", (2, 2)).save(path, icc_profile=profile)
        photo = read_image(path)
        assert (photo.icc, photo.notes) == (profile, ())


@pytest.mark.parametrize(
    "chunks",
    [
        (gama(0.45455), chrm(ADOBE)),
        (chrm(ADOBE),),
        (gama(1),),
        (gama(1), (b"sRGB", b"\0")),
        (gama(0.45455),),
    ],
)
def test_an_opened_png_has_the_colours_of_its_file(read, tmp_path, chunks):
    photo, _ = read(*chunks)
    with Image.open(tmp_path / "image.png") as image:
        for opened in (image, image.copy(), image.convert("RGBA")):
            alike = read_pillow_image(opened)
            assert (alike.icc, alike.notes) == (photo.icc, photo.notes)
            np.testing.assert_array_equal(alike.pixels, photo.pixels)


@pytest.mark.parametrize("suffix", ["png", "avif"])
def test_an_opened_image_has_the_colours_that_only_its_file_names(
    read, tmp_path, make_image, suffix
):
    path = tmp_path / f"image.{suffix}"
    if suffix == "png":
        read(cicp(12, 13))
    else:
        Image.fromarray(make_image(64, 96)).save(path)
        with_nclx(path, 12, 13)
    profile = read_image(path).icc
    assert description(profile) == "Display P3"
    data = io.BytesIO(path.read_bytes())
    with Image.open(path) as image, Image.open(data) as in_memory:
        for opened in (image, in_memory):
            assert read_pillow_image(opened).icc == profile
        assert np.asarray(image).shape == np.asarray(in_memory).shape
        # Now both are loaded.
        assert read_pillow_image(image).icc == profile
        photo = read_pillow_image(in_memory)
    assert photo.icc is None
    assert photo.notes == (
        "opened from memory and loaded: colours and depth that only the file tells "
        "are unknown",
    )


def test_an_opened_heic_has_the_colours_of_its_file(tmp_path, make_image):
    pytest.importorskip("pillow_heif").register_heif_opener()
    path = tmp_path / "image.heic"
    nclx = {"color_primaries": 12, "transfer_characteristics": 13}
    Image.fromarray(make_image(64, 96)).save(path, **nclx)
    with Image.open(path) as image:
        photo = read_pillow_image(image)
    assert description(photo.icc) == "Display P3"
    assert photo.icc == read_image(path).icc


def test_other_profiles_of_jpeg_xl_are_kept(tmp_path):
    path = tmp_path / "image.jxl"
    path.write_bytes(bytes.fromhex(JPEG_XL["sRGB"]))
    photo = read_image(path)
    assert photo.notes == ()
    assert icc.read_code_points(photo.icc) == (9, 13)
    np.testing.assert_allclose(photo.pixels, 128, atol=4)


def test_a_profile_in_the_file_comes_first(tmp_path, make_image):
    path = tmp_path / "image.avif"
    Image.fromarray(make_image(64, 96)).save(path, icc_profile=ICC)
    assert read_image(path).icc == ICC


WHITE_POINT, PRIMARIES, TRANSFER_FUNCTION = 318, 319, 301


def table(curve):
    """The tag TransferFunction of a TIFF of 8 bits."""
    light = Parametric(curve) if isinstance(curve, float) else curve
    return tuple(np.rint(65535 * light.to_linear(np.arange(256) / 255)).astype(int))


@pytest.fixture
def read_tiff(tmp_path, make_image):
    """Returns a function that reads a small TIFF with further tags."""

    def read(tags, mode="RGB", **options):
        image = Image.fromarray(make_image(8, 9)).convert(mode)
        path = tmp_path / "image.tif"
        image.save(path, tiffinfo=tags, **options)
        return read_image(path), np.asarray(image)

    return read


@pytest.mark.parametrize(
    "tags",
    [
        {WHITE_POINT: SRGB[:2], PRIMARIES: SRGB[2:]},
        {TRANSFER_FUNCTION: table(2.2)},
        {WHITE_POINT: SRGB[:2], PRIMARIES: SRGB[2:], TRANSFER_FUNCTION: table(2.2)},
        {TRANSFER_FUNCTION: table(transfer.SRGB)},
    ],
)
def test_a_tiff_that_says_srgb_needs_no_profile(read_tiff, tags):
    photo, pixels = read_tiff(tags)
    assert (photo.icc, photo.notes) == (None, ())
    np.testing.assert_array_equal(photo.pixels, pixels)


@pytest.mark.parametrize(
    "tags",
    [
        {WHITE_POINT: ADOBE[:2], PRIMARIES: ADOBE[2:]},
        {TRANSFER_FUNCTION: table(1.8)},
        {TRANSFER_FUNCTION: 3 * table(1.8)},
    ],
)
def test_other_colours_of_a_tiff_get_a_profile(read_tiff, tags):
    photo, pixels = read_tiff(tags)
    assert description(photo.icc) == "TIFF"
    assert photo.notes == ()
    np.testing.assert_array_equal(photo.pixels, pixels)


def test_the_profile_of_a_tiff_is_that_of_a_png_with_the_same_colours(read, read_tiff):
    tags = {WHITE_POINT: ADOBE[:2], PRIMARIES: ADOBE[2:], TRANSFER_FUNCTION: table(1.8)}
    expected = shown(read(gama(1 / 1.8), chrm(ADOBE))[0].icc)
    assert shown(read_tiff(tags)[0].icc) == expected


def test_linear_light_of_a_tiff_gets_the_curve_of_srgb(read_tiff):
    photo, pixels = read_tiff({TRANSFER_FUNCTION: table(1.0)}, "L")
    light = pixels[4, 4] / 255
    expected = 255 * transfer.to_srgb_curve(light)
    np.testing.assert_allclose(photo.pixels[4, 4], expected, atol=0.5)
    assert photo.notes == ("linear light converted to sRGB's curve",)


@pytest.mark.parametrize(
    ("tags", "mode", "ignored"),
    [
        ({WHITE_POINT: ADOBE[:2]}, "RGB", "WhitePoint"),
        ({PRIMARIES: ADOBE[2:]}, "RGB", "PrimaryChromaticities"),
        ({TRANSFER_FUNCTION: table(2.0)[::-1]}, "L", "TransferFunction"),
        ({TRANSFER_FUNCTION: table(2.0)[:99]}, "RGB", "TransferFunction"),
        ({TRANSFER_FUNCTION: 2 * table(2.0) + table(1.0)}, "RGB", "TransferFunction"),
        (
            {WHITE_POINT: ADOBE[:2], PRIMARIES: ADOBE[2:]},
            "CMYK",
            "WhitePoint, PrimaryChromaticities",
        ),
    ],
)
def test_colours_of_a_tiff_that_are_ignored_are_named(read_tiff, tags, mode, ignored):
    photo, _ = read_tiff(tags, mode)
    assert photo.icc is None
    assert photo.notes[0] == f"{ignored} ignored"


@pytest.mark.parametrize("primaries", [[0] * 6, [0.3, 0.3] * 3, [1e6] * 6])
def test_damaged_colours_of_a_tiff_are_dropped_with_a_note(read_tiff, primaries):
    photo, _ = read_tiff({WHITE_POINT: ADOBE[:2], PRIMARIES: primaries})
    assert photo.icc is None
    assert photo.notes == ("the colour space is damaged and was dropped",)


def test_a_profile_in_a_tiff_comes_first(read_tiff):
    tags = {WHITE_POINT: ADOBE[:2], PRIMARIES: ADOBE[2:]}
    photo, _ = read_tiff(tags, icc_profile=ICC)
    assert (photo.icc, photo.notes) == (ICC, ())


@pytest.fixture
def read_bmp(tmp_path, make_image):
    """Returns a function that reads a small BMP with a header of version 4 or 5."""

    def read(kind, xyz=(0,) * 9, exponents=(0,) * 3, profile=b"", suffix="bmp"):
        pixels = make_image(8, 9)
        path = tmp_path / f"image.{suffix}"
        Image.fromarray(pixels).save(path)
        data = path.read_bytes()
        start = data.index(struct.pack("<I", 40))
        rows = data[start + 40 :]
        header = struct.pack("<I", 124 if profile else 108) + data[start + 4 :][:36]
        header += bytes(16) + kind[::-1]
        header += struct.pack("<9i", *(round(2**30 * value) for value in xyz))
        header += struct.pack("<3I", *(round(2**16 * value) for value in exponents))
        if profile:
            header += struct.pack("<4I", 0, 124 + len(rows), len(profile), 0)
        file = data[:10] + struct.pack("<I", start + len(header)) if start else b""
        path.write_bytes(file + header + rows + profile)
        return read_image(path), pixels

    return read


def xyz(values):
    """x, y and z of red, green and blue in a list that begins with white."""
    pairs = zip(values[2::2], values[3::2])
    return tuple(number for x, y in pairs for number in (x, y, 1 - x - y))


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (b"sRGB", {"xyz": xyz(ADOBE), "exponents": (1, 1, 1)}),
        (b"Win ", {"xyz": xyz(ADOBE), "exponents": (1, 1, 1)}),
        (bytes(4), {}),
        (bytes(4), {"xyz": xyz(SRGB)}),
        (bytes(4), {"xyz": xyz(SRGB), "exponents": (2.2, 2.2, 2.2)}),
        (bytes(4), {"exponents": (1 / 2.2,) * 3}),
    ],
)
def test_a_bmp_that_says_srgb_or_nothing_needs_no_profile(read_bmp, kind, fields):
    photo, pixels = read_bmp(kind, **fields)
    assert (photo.icc, photo.notes) == (None, ())
    np.testing.assert_array_equal(photo.pixels, pixels)


@pytest.mark.parametrize("suffix", ["bmp", "dib"])
@pytest.mark.parametrize("scale", [1, 0.5])  # x, y, z, or X, Y, Z.
def test_calibrated_colours_of_a_bmp_get_a_profile(read, read_bmp, suffix, scale):
    primaries = [scale * value for value in xyz(ADOBE)]
    photo, pixels = read_bmp(bytes(4), primaries, (1.8,) * 3, suffix=suffix)
    assert description(photo.icc) == "BMP"
    assert photo.notes == ()
    np.testing.assert_array_equal(photo.pixels, pixels)
    assert shown(photo.icc) == shown(read(gama(1 / 1.8), chrm(ADOBE))[0].icc)


def test_different_curves_of_a_bmp_are_named(read_bmp):
    photo, _ = read_bmp(bytes(4), xyz(ADOBE), (1.8, 2.2, 0))
    assert description(photo.icc) == "BMP"
    assert photo.notes == ("different curves of red, green and blue ignored",)


@pytest.mark.parametrize("suffix", ["bmp", "dib"])
def test_the_profile_in_a_bmp_is_kept(read_bmp, suffix):
    photo, pixels = read_bmp(b"MBED", xyz(ADOBE), profile=ICC, suffix=suffix)
    assert (photo.icc, photo.notes) == (ICC, ())
    np.testing.assert_array_equal(photo.pixels, pixels)


@pytest.mark.parametrize("damaged", [b"?", ICC[:36] + b"?" + ICC[37:]])
def test_a_damaged_profile_in_a_bmp_is_named(read_bmp, damaged):
    photo, _ = read_bmp(b"MBED", profile=damaged)
    assert photo.icc is None
    assert photo.notes == ("ICC profile is damaged and was dropped",)


def test_the_profile_of_a_cut_bmp_is_named(read_bmp, tmp_path):
    read_bmp(b"MBED", profile=ICC)
    path = tmp_path / "image.bmp"
    path.write_bytes(path.read_bytes()[:-1])
    photo = read_image(path)
    assert photo.icc is None
    assert photo.notes == ("ICC profile is damaged and was dropped",)


def test_a_profile_that_a_bmp_links_is_named_and_not_opened(read_bmp, tmp_path):
    (tmp_path / "secret.icc").write_bytes(ICC)
    name = str(tmp_path / "secret.icc").encode()
    photo, _ = read_bmp(b"LINK", profile=name + b"\0" + bytes(9))
    assert photo.icc is None
    assert photo.notes == (f"ICC profile in another file ignored: {name.decode()}",)


def test_a_qoi_marked_as_linear_light_is_read_as_srgb_with_a_note(tmp_path, make_image):
    pixels, path = make_image(8, 9), tmp_path / "image.qoi"
    write_image(path, Photo(pixels))
    assert path.read_bytes()[13] == 0
    photo = read_image(path)
    assert (photo.icc, photo.notes) == (None, ())
    Image.fromarray(pixels).save(path)
    assert path.read_bytes()[13] == 1
    photo = read_image(path)
    assert (photo.icc, photo.notes) == (None, ("marked as linear light, read as sRGB",))
    np.testing.assert_array_equal(photo.pixels, pixels)


def test_adobe_rgb_in_exif_becomes_a_profile(tmp_path, make_image):
    exif = Image.Exif()
    exif[0x8769] = {0xA001: 0xFFFF, 0xA005: {1: "R03"}}
    path = tmp_path / "image.jpg"
    Image.fromarray(make_image(64, 96)).save(path, exif=exif)
    assert description(read_image(path).icc) == "Adobe RGB (1998)"
    exif[0x8769] = {0xA001: 1, 0xA005: {1: "R98"}}
    Image.fromarray(make_image(64, 96)).save(path, exif=exif)
    assert read_image(path).icc is None


def ifd(tag, kind, count, value):
    """A directory of one entry, 18 bytes."""
    return struct.pack("<HHHI4sI", 1, tag, kind, count, value, 0)


def test_adobe_rgb_of_another_type_in_exif_is_ignored(tmp_path, make_image):
    exif = b"Exif\0\0II*\0\x08\0\0\0" + ifd(0x8769, 4, 1, struct.pack("<I", 26))
    exif += ifd(0xA005, 4, 1, struct.pack("<I", 44))
    image, path = Image.fromarray(make_image(64, 96)), tmp_path / "image.jpg"
    for kind, profile in ((2, "Adobe RGB (1998)"), (7, None)):  # ASCII and UNDEFINED.
        image.save(path, exif=exif + ifd(1, kind, 4, b"R03\0"))
        icc = read_image(path).icc
        assert (icc and description(icc)) == profile
