"""ICC profiles for colour spaces that files name by numbers."""

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from tf_imgcomp.image_files import icc, transfer

D65 = (0.3127, 0.329)
P3 = (0.68, 0.32), (0.265, 0.69), (0.15, 0.06)
# From linear Display P3 to linear sRGB (CSS Color Module Level 4).
P3_TO_SRGB = np.array(
    [
        [1.2249402, -0.2249404, 0],
        [-0.0420569, 1.0420571, 0],
        [-0.0196376, -0.0786361, 1.0982735],
    ]
)


def to_srgb(pixels, profile):
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    mode = "L" if pixels.ndim == 2 else "RGB"
    image = Image.fromarray(pixels)
    transform = ImageCms.buildTransform(
        source, ImageCms.createProfile("sRGB"), mode, "RGB", renderingIntent=1
    )
    return np.asarray(transform.apply(image))


def test_profile_of_display_p3_gives_its_colours():
    pixels = np.random.default_rng(0).integers(90, 160, (20, 30, 3), np.uint8)
    profile = icc.make_profile("Display P3", D65, P3, transfer.SRGB, grey=False)
    linear = transfer.SRGB.to_linear(pixels / 255) @ P3_TO_SRGB.T
    expected = 255 * transfer.to_srgb_curve(linear)
    np.testing.assert_allclose(to_srgb(pixels, profile), expected, atol=1)


def test_profile_of_grey_gives_its_curve():
    pixels = np.arange(32, 256, dtype=np.uint8)[None]  # Darker ones are coarse there.
    profile = icc.make_profile("grey", D65, P3, transfer.Parametric(1.8), grey=True)
    expected = 255 * transfer.to_srgb_curve((pixels / 255) ** 1.8)
    for channel in range(3):
        np.testing.assert_allclose(
            to_srgb(pixels, profile)[..., channel], expected, atol=1
        )


def test_code_points_are_read_and_absent_ones_are_none():
    profile = icc.make_profile("none", D65, P3, transfer.SRGB, grey=False)
    assert icc.read_code_points(profile) is None
    at = profile.index(b"cprt")
    (start,) = struct.unpack_from(">I", profile, at + 4)
    profile = profile.replace(b"cprt", b"cicp")
    profile = profile[:start] + b"cicp" + bytes(4) + b"\x09\x10\0\1" + profile[start:]
    assert icc.read_code_points(profile) == (9, 16)
    for length in (0, 128, 131, at + 11, start + 11):
        assert icc.read_code_points(profile[:length]) is None
    endless = profile[:128] + b"\xff" * 4 + bytes(99)
    assert icc.read_code_points(endless) is None


def test_primaries_and_tables_are_read_and_absent_ones_are_none():
    profile = icc.make_profile("P3", D65, P3, transfer.SRGB, grey=False)
    expected = [*D65, *P3[0], *P3[1], *P3[2]]
    np.testing.assert_allclose(icc.read_primaries(profile), expected, atol=1e-4)
    assert icc.read_table(profile) is None  # The curve is parametric.
    grey = icc.make_profile("grey", D65, P3, transfer.SRGB, grey=True)
    assert icc.read_primaries(grey) is None
    assert icc.read_table(b"") is None
    at = profile.index(b"sf32") + 8
    for matrix in (bytes(36), b"\x80" + bytes(35)):  # Singular.
        damaged = profile[:at] + matrix + profile[at + 36 :]
        assert icc.read_primaries(damaged) is None
    for length in range(len(profile)):
        icc.read_primaries(profile[:length])
        icc.read_table(profile[:length])


def test_name_is_told():
    profile = icc.make_profile("Display P3", D65, P3, transfer.SRGB, grey=False)
    parsed = ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile
    assert parsed.profile_description == "Display P3"
    assert len(profile) < 520


@pytest.mark.parametrize(
    ("white", "primaries"), [((0.3, 0), P3), (D65, (P3[0], P3[0], P3[2]))]
)
def test_primaries_without_a_colour_space_are_refused(white, primaries):
    with pytest.raises(ValueError, match="do not span a colour space"):
        icc.make_profile("none", white, primaries, transfer.SRGB, grey=False)
