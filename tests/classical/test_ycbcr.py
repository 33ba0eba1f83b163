import numpy as np
import pytest

from tf_imgcomp import metrics
from tf_imgcomp.classical import ycbcr
from tf_imgcomp.classical.ycbcr import MATRICES, Layout

each_matrix = pytest.mark.parametrize("matrix", MATRICES)
each_chroma = pytest.mark.parametrize("chroma", ["4:4:4", "4:2:2", "4:2:0"])
either_range = pytest.mark.parametrize("limited", [False, True])


@each_matrix
@either_range
def test_full_chroma_of_10_bits_loses_nothing(matrix, limited):
    x = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    layout = Layout("4:4:4", matrix, bits=10, limited=limited)
    x_hat = ycbcr.to_rgb(ycbcr.from_rgb(x, layout), layout)
    assert np.abs(x_hat.astype(int) - x).max() <= (1 if limited else 0)


@each_matrix
@each_chroma
@either_range
@pytest.mark.parametrize("bits", [8, 10])
def test_every_grey_level_stays_grey(matrix, chroma, limited, bits):
    x = np.repeat(np.arange(256, dtype=np.uint8), 3 * 2 * 2).reshape(2, -1, 3)
    layout = Layout(chroma, matrix, bits, limited)
    planes = ycbcr.from_rgb(x, layout)
    assert np.unique(planes[1]) == np.unique(planes[2]) == 1 << (bits - 1)
    x_hat = ycbcr.to_rgb(planes, layout).astype(int)
    assert np.ptp(x_hat, axis=-1).max() == 0
    assert np.abs(x_hat - x).max() <= (limited and bits == 8)


def test_black_and_white_are_the_ends_of_the_range():
    x = np.zeros((1, 2, 3), np.uint8)
    x[0, 1] = 255
    for layout, ends in (
        (Layout("4:4:4"), (0, 255)),
        (Layout("4:4:4", bits=10), (0, 1023)),
        (Layout("4:4:4", limited=True), (16, 235)),
        (Layout("4:4:4", bits=10, limited=True), (64, 940)),
    ):
        assert tuple(ycbcr.from_rgb(x, layout)[0][0]) == ends


@pytest.mark.parametrize(
    ("rgb", "expected"),
    [((255, 0, 0), (76, 85, 255)), ((0, 0, 255), (29, 255, 107))],
)
def test_primaries_are_those_of_jfif(rgb, expected):
    planes = ycbcr.from_rgb(np.array([[rgb]], np.uint8), Layout("4:4:4"))
    assert tuple(int(plane[0, 0]) for plane in planes) == expected


@each_chroma
def test_any_planes_give_pixels(chroma):
    layout, random = Layout(chroma), np.random.default_rng(0)
    shapes = layout.shapes(7, 9)
    planes = [random.choice([0, 255], shape).astype(np.uint8) for shape in shapes]
    assert ycbcr.to_rgb(planes, layout).shape == (7, 9, 3)


@pytest.mark.parametrize("left", [False, True])
def test_even_chroma_is_not_changed_by_interpolation(left):
    layout = Layout("4:2:0", left=left)
    planes = [np.full(shape, 77, np.uint8) for shape in layout.shapes(9, 11)]
    pixels = ycbcr.to_rgb(planes, layout)
    assert (pixels == pixels[0, 0]).all()


def test_half_chroma_of_a_photo_loses_little(photo):
    layout = Layout("4:2:0", "bt709", bits=10)
    x = photo[:202, :300]
    x_hat = ycbcr.to_rgb(ycbcr.from_rgb(x, layout), layout)
    assert metrics.psnr(x, x_hat) > 44


def test_positions_of_chroma_differ_by_a_quarter_of_a_sample():
    ramp = np.tile(np.arange(0, 160, 4, dtype=np.uint8), (4, 1))
    y = np.full((4, 80), 128, np.uint8)
    centre, left = (
        ycbcr.to_rgb([y, ramp, ramp], Layout("4:2:2", left=left)).astype(int)
        for left in (False, True)
    )
    # In 1.402 levels of red for a level of chroma, of which a column has 2.
    shift = (left - centre)[:, 20:60, 0] / 1.402
    assert np.mean(shift) == pytest.approx(1, abs=0.1)
