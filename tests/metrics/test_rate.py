import pytest

from tf_imgcomp import metrics


def test_bpp_counts_bits_per_pixel_of_the_image():
    assert metrics.bpp(num_bytes=49152, height=512, width=768) == 1.0


def test_bpp_refuses_an_empty_image():
    with pytest.raises(ValueError, match="at least 1, received 0 x 4"):
        metrics.bpp(10, 0, 4)
