"""The shipped filters improve a photo at the rates they are for."""

import dataclasses

import pytest

from tests.programs import ROOT
from tf_imgcomp.image_codecs import models
from tf_imgcomp.image_files.images import read_image
from tf_imgcomp.metrics import ms_ssim, psnr

QUALITIES = (20.0, 35.0)  # At the rates of their training.
FILTERED = [model for model in models.available() if "+" in model]


@pytest.fixture(scope="module", params=FILTERED)
def codec(request):
    return models.load(request.param)


@pytest.mark.slow
@pytest.mark.parametrize("quality", QUALITIES)
def test_a_shipped_filter_is_used_and_helps(codec, quality):
    pixels = read_image(ROOT / "examples" / "chelsea.png").pixels
    height, width, _ = pixels.shape
    coded = codec.compress(pixels, quality)
    assert coded.variant == 1
    filtered = codec.decompress(coded, height, width)
    plain = codec.decompress(dataclasses.replace(coded, variant=0), height, width)
    assert psnr(pixels, filtered) > psnr(pixels, plain) + 0.1
    assert ms_ssim(pixels, filtered) > ms_ssim(pixels, plain)


def test_the_filters_of_all_codecs_are_there():
    codecs = ("bpg", "vvc")
    assert {f"{codec}+xue2019" for codec in codecs} <= set(models.available())
