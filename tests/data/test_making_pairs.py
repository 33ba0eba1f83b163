"""Making a folder of pairs from photos with a codec."""

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tf_imgcomp.data.making_pairs import FIGURES, make_pairs, plan
from tf_imgcomp.data.pairs import unstack
from tf_imgcomp.errors import ImageError, ImgcompError
from tf_imgcomp.image_codecs import models

SETTINGS = (20, 30, 40)
PROGRAM = Path(__file__).parents[2] / "bin" / "make_pairs.py"


class Shifter:
    """Adds its setting to every value."""

    name, version = "shifter", "1"

    def encode(self, pixels, setting):
        if pixels.max() == 255:
            raise ImgcompError("too\nbright")
        return bytes([setting]) + np.array(pixels.shape, "<u4").tobytes() + pixels.data

    def decode(self, data):
        shape = np.frombuffer(data[1:13], "<u4")
        return np.frombuffer(data[13:], np.uint8).reshape(shape) + np.uint8(data[0])


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    (folder / "deep").mkdir(parents=True)
    random = np.random.default_rng(1)
    for number in range(12):
        pixels = random.integers(0, 200, (20, 30 + number, 3), np.uint8)
        Image.fromarray(pixels).save(folder / "deep" / f"a_{number}.png")
    return folder


def _run(photos, output, per_photo=1, codec=None, **options):
    jobs = plan(photos, output, SETTINGS, per_photo)
    return list(make_pairs(jobs, output, codec or Shifter(), threads=2, **options))


def _make_pairs(*arguments):
    command = [sys.executable, "-I", str(PROGRAM), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def _files(folder):
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_every_pair_is_what_the_codec_made_of_the_photo(photos, tmp_path):
    done = _run(photos, tmp_path / "pairs", per_photo=3)
    assert len(done) == 36
    assert not any(reason for _, reason in done)
    for job, _ in done:
        pair = unstack(np.asarray(Image.open(job.target)))
        original = np.asarray(Image.open(job.photo))
        np.testing.assert_array_equal(pair.original, original)
        np.testing.assert_array_equal(pair.decoded, original + np.uint8(job.setting))
        assert pair.setting == job.setting == int(job.target.parents[1].name)
    lines = (tmp_path / "pairs" / FIGURES).read_text().splitlines()
    figures = json.loads(lines[0])
    assert figures["bpp"] == pytest.approx(24, rel=0.02)
    assert figures["psnr"] == pytest.approx(
        20 * np.log10(255 / done[0][0].setting), 1e-3
    )


@pytest.mark.parametrize("per_photo", [1, 2, 3])
def test_settings_are_dealt_without_repetition(photos, per_photo):
    jobs = plan(photos, Path("out"), SETTINGS, per_photo)
    assert len({job.target for job in jobs}) == 12 * per_photo
    assert set(Counter(job.photo for job in jobs).values()) == {per_photo}
    assert {job.setting for job in jobs} == set(SETTINGS)


def test_each_pair_has_a_scale_of_its_own(photos):
    jobs = plan(photos, Path("out"), SETTINGS, 3, scale_min=0.5)
    scales = [job.scale for job in jobs]
    assert len(set(scales)) == len(jobs)
    assert 0.5 <= min(scales) < 0.6
    assert 0.9 < max(scales) < 1
    again = plan(photos, Path("elsewhere"), SETTINGS, 3, scale_min=0.5)
    assert [job.scale for job in again] == scales


@pytest.mark.parametrize(
    ("size", "reduced"),
    [((800, 600), (400, 300)), ((400, 320), (320, 256)), ((30, 20), (30, 20))],
)
def test_photos_are_reduced_to_256_pixels_at_least(tmp_path, size, reduced):
    pixels = np.random.default_rng(1).integers(0, 200, (*size[::-1], 3), np.uint8)
    photo = Image.fromarray(pixels)
    (tmp_path / "photos").mkdir()
    photo.save(tmp_path / "photos" / "a.png")
    jobs = plan(tmp_path / "photos", tmp_path / "pairs", SETTINGS, 1)
    jobs = [job._replace(scale=0.5) for job in jobs]
    list(make_pairs(jobs, tmp_path / "pairs", Shifter(), threads=1))
    pair = unstack(np.asarray(Image.open(jobs[0].target)))
    expected = np.asarray(photo.resize(reduced, Image.LANCZOS))
    np.testing.assert_array_equal(pair.original, expected)


def test_a_name_that_is_not_unicode_is_planned(photos, tmp_path):
    name = "\udcff.png"
    try:
        (photos / name).write_bytes(b"no image")
    except OSError as error:
        pytest.skip(f"no such names here: {error}")
    jobs = plan(photos, tmp_path / "out", SETTINGS, 1)
    assert name in [job.photo.name for job in jobs]


def test_what_is_there_is_left_and_what_was_cut_is_made_again(photos, tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    _run(photos, whole)
    jobs = plan(photos, parts, SETTINGS, 1)
    some = make_pairs(jobs, parts, Shifter(), threads=2)
    first, _ = next(some)
    some.close()
    with open(parts / FIGURES, "a") as log:
        log.write('{"pair": "40/de')  # A kill in the middle of a line.
    written = first.target.stat().st_mtime_ns
    assert len(_run(photos, parts)) == 11
    assert first.target.stat().st_mtime_ns == written
    assert _files(parts) == _files(whole)


def test_the_program_goes_on_after_a_kill(photos, tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"

    def start(output):
        options = ["--codec=jpeg", "--qp=20,30", "--threads=1", f"--output={output}"]
        command = [sys.executable, "-I", str(PROGRAM), *options, str(photos)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    assert "24 pairs made" in start(whole).communicate()[0]
    killed = start(parts)
    figures = parts / FIGURES
    while not (figures.exists() and figures.stat().st_size):
        assert killed.poll() is None
        time.sleep(0.005)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    out, _ = start(parts).communicate()
    assert " 0 were there" not in out
    leftover = {n for n in _files(parts) if n.endswith(".tmp")}
    assert {n: f for n, f in _files(parts).items() if n not in leftover} == _files(
        whole
    )


@pytest.mark.slow
def test_pairs_of_a_learned_codec(tmp_path, make_image, tiny_model):
    photos, output = tmp_path / "photos", tmp_path / "pairs"
    photos.mkdir()
    Image.fromarray(make_image(48, 64)).save(photos / "a.png")
    run = _make_pairs(f"--codec={tiny_model}", "--qp=90", f"--output={output}", photos)
    assert (run.returncode, run.stderr) == (0, "")
    pair = unstack(np.asarray(Image.open(output / "90" / "a.png.webp")))
    codec = models.load(str(tiny_model))
    expected = codec.decode(codec.encode(make_image(48, 64), 90))
    np.testing.assert_array_equal(pair.decoded, expected)
    assert pair.setting == 90
    made_by = json.loads((output / "codec.json").read_text())
    assert made_by == {"codec": codec.name, "version": codec.version}


def test_a_codec_that_is_not_there_is_told(tmp_path):
    run = _make_pairs("--codec=nix", "--qp=90", f"--output={tmp_path}/out", tmp_path)
    assert run.returncode == 1
    assert "needs model 'nix'; there are: avif, " in run.stderr
    assert run.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_photo_that_fails_is_told_and_stops_no_other(photos, tmp_path):
    Image.new("RGB", (9, 9), "white").save(photos / "b.png")
    (photos / "c.png").write_bytes(b"no image")
    Image.new("RGB", (31, 30)).save(photos / "d.png")
    done = _run(photos, tmp_path / "pairs", max_pixels=900)
    reasons = {job.photo.name: reason for job, reason in done if reason}
    assert reasons == {
        "b.png": "too bright",
        "c.png": "not an image of a known format",
        "d.png": "31 x 30 pixels exceed the limit of 900 (max_pixels)",
    }
    assert len(done) == 15


def test_pairs_of_another_codec_are_not_mixed(photos, tmp_path):
    _run(photos, tmp_path)
    other = Shifter()
    other.version = "2"
    with pytest.raises(ImgcompError, match="codec.json is for .*name another folder"):
        _run(photos, tmp_path, codec=other)


def test_pairs_of_another_scale_are_not_mixed(photos, tmp_path):
    output = tmp_path / "pairs"
    _run(photos, output)
    before = _files(output)
    jobs = plan(photos, output, SETTINGS, 1, scale_min=0.5)
    with pytest.raises(ImgcompError, match="at scale 1.0, not 0.*name another folder"):
        list(make_pairs(jobs, output, Shifter(), threads=2))
    assert _files(output) == before


@pytest.mark.parametrize("name", ["codec.json", FIGURES])
def test_a_damaged_folder_is_refused(photos, tmp_path, name):
    _run(photos, tmp_path / "pairs")
    (tmp_path / "pairs" / name).write_text("[\n")
    with pytest.raises(ImgcompError, match=f"{name} is damaged"):
        _run(photos, tmp_path / "pairs")


def test_a_large_photo_gives_its_middle(tmp_path, make_image):
    pixels = make_image(1100, 40) // 2
    (tmp_path / "photos").mkdir()
    Image.fromarray(pixels).save(tmp_path / "photos" / "large.png")
    ((job, _),) = _run(tmp_path / "photos", tmp_path / "pairs")
    pair = unstack(np.asarray(Image.open(job.target)))
    np.testing.assert_array_equal(pair.original, pixels[38 : 38 + 1024])


def test_a_folder_without_photos_is_refused(tmp_path):
    with pytest.raises(ImageError, match="no photos found"):
        plan(tmp_path, tmp_path, SETTINGS, 1)
