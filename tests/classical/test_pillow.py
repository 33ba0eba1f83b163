import pytest

from tf_imgcomp import metrics
from tf_imgcomp.classical import CODECS
from tf_imgcomp.image_files.plugins import Plugin


def test_jpeg2000_hits_the_rate_asked_for(make_image):
    x = make_image(256, 256)
    data = CODECS["jpeg2000"].encode(x, setting=0.5)
    assert metrics.bpp(len(data), 256, 256) == pytest.approx(0.5, rel=0.05)


def test_full_chroma_costs_more_and_is_better(photo):
    half, full = CODECS["jpeg"], CODECS["jpeg444"]
    files = [codec.encode(photo, 90) for codec in (half, full)]
    assert len(files[0]) < len(files[1])
    assert metrics.psnr(photo, half.decode(files[0])) < metrics.psnr(
        photo, full.decode(files[1])
    )


def test_a_missing_library_is_named(monkeypatch):
    assert CODECS["avif"].available() is None
    monkeypatch.setattr("PIL.features.check", lambda feature: False)
    assert "built without avif support" in CODECS["avif"].available()


def test_a_missing_plugin_is_named():
    plugin = Plugin("NONE", "pillow-none", "pillow_none", "pip install pillow-none")
    assert plugin.missing() == "NONE needs another package: pip install pillow-none"
