"""ICC profiles for colour spaces that files name by numbers."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from tf_imgcomp.data import icc, transfer

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
