"""bin/compress and bin/decompress on servers that run real exports."""

import dataclasses
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from tests.serving.programs import run
from tf_imgcomp import bitstream
from tf_imgcomp.client import remote_models, urls
from tf_imgcomp.errors import BitstreamError, ModelError, ServerError
from tf_imgcomp.image_codecs import models
from tf_imgcomp.image_files.images import read_image
from tf_imgcomp_bin import compress, decompress

pytestmark = pytest.mark.slow

HEIGHT, WIDTH = 130, 200  # Several tiles.
PATIENT = "--deadline=600"  # For busy machines.
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.fixture(params=["tensorflow_serving", "triton"])
def server(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def photo(folder, make_image):
    """A photo with transparency, a profile, an orientation and more."""
    alpha = np.full((HEIGHT, WIDTH, 1), 255, np.uint8)
    alpha[:70, :90] = 128
    pixels = np.concatenate([make_image(HEIGHT, WIDTH), alpha], axis=-1)
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "maker"
    Image.fromarray(pixels).save("photo.png", exif=exif, icc_profile=SRGB)
    return "photo.png"


def both(program, server, *arguments):
    """Runs a program here, with results in here/, and on a server, in there/."""
    assert run(program, *arguments, "--output=here/") == 0
    there = f"--server={server.url}", PATIENT, "--output=there/"
    assert run(program, *arguments, *there) == 0


def assert_alike(name):
    """Pixels may differ by one grey level; all else is equal."""
    here, there = (read_image(Path(folder, name)) for folder in ("here", "there"))
    assert here.pixels.shape == there.pixels.shape
    assert np.abs(here.pixels.astype(int) - there.pixels).max() <= 1
    np.testing.assert_array_equal(here.alpha, there.alpha)
    assert (here.icc, here.exif) == (there.icc, there.exif)


@pytest.mark.parametrize("model", ["tiny", "tiny+xue2019"])
@pytest.mark.parametrize("goal", ["--quality=47.55", "--max_bytes=9000"])
def test_files_are_those_made_here(photo, server, model, goal):
    both(compress, server, f"--model={model}", goal, photo)
    data = [Path(where, "photo.tfci").read_bytes() for where in ("here", "there")]
    assert data[0] == data[1]
    file = bitstream.unpack(data[0])
    assert (file.height, file.width) == (WIDTH, HEIGHT)  # Upright.
    assert file.alpha
    assert file.blocks


@pytest.mark.parametrize("flag", ["", "--region=50,60,40,70", "--scale=1/4"])
def test_images_are_those_decoded_here(photo, server, flag):
    assert run(compress, "--model=tiny", photo) == 0
    both(decompress, server, *filter(None, [flag]), "photo.tfci")
    assert_alike("photo.png")


@pytest.mark.parametrize("ensemble", ["rotations", "flips"])
def test_means_of_a_filter_are_those_of_here(photo, server, ensemble):
    model = "--model=tiny+xue2019"
    assert run(compress, model, f"--ensemble={ensemble}", photo) == 0
    name, codec = Path("photo.tfci"), models.load("tiny+xue2019")
    file = bitstream.unpack(name.read_bytes())
    remote = remote_models.load(urls.connect(server.url), "tiny+xue2019")
    for variant in (1, 2 if ensemble == "rotations" else 3):
        each = dataclasses.replace(file, variant=variant)
        difference = codec.from_file(each).astype(int) - remote.from_file(each)
        assert np.abs(difference).max() <= 1


def test_strings_keep_zeros_at_their_end(server, folder, make_image):
    data = models.load("tiny").encode(make_image(64, 64), 50)
    files = np.array([data, data + b"\0\0"], object)
    result = urls.connect(server.url).call("tiny", "decompress", files=files)
    sound, longer = result["error"]
    assert not sound
    assert longer


def test_damage_is_told_as_here(server, folder, make_image):
    coded = models.load("tiny").compress(make_image(64, 64), 50)
    remote = remote_models.load(urls.connect(server.url), "tiny")
    swapped = dataclasses.replace(coded, first=coded.rest, rest=coded.first)
    with pytest.raises(BitstreamError):
        remote.decompress(swapped, 64, 64)


def test_efforts_of_the_slow_mode_are_refused(photo, server, capsys):
    flags = "--model=tiny", "--effort=7", f"--server={server.url}"
    assert run(compress, *flags, photo) == 1
    assert "on a server has no effort above 6" in capsys.readouterr().err


def test_a_model_that_is_not_there_is_told(server):
    with pytest.raises(ModelError, match="does not have model 'other'"):
        remote_models.load(urls.connect(server.url), "other")
    with pytest.raises(ModelError, match="expected the id of a model on"):
        remote_models.load(urls.connect(server.url), "./tiny")


def test_a_classical_codec_runs_here():
    remote = remote_models.load(urls.connect("kserve://127.0.0.1:9"), "webp")
    assert remote.id == "webp"


def test_a_slow_server_is_given_up(tensorflow_serving, photo, monkeypatch, capsys):
    def wait(context):
        time.sleep(0.5)

    monkeypatch.setattr(tensorflow_serving.service, "interrupt", wait)
    flags = "--model=tiny", "--deadline=0.2", f"--server={tensorflow_serving.url}"
    assert run(compress, *flags, photo) == 1
    assert "no answer in 0.2 s" in capsys.readouterr().err
    assert not Path("photo.tfci").exists()


def test_a_server_that_restarts_is_waited_for(tensorflow_serving, photo, monkeypatch):
    import grpc

    calls = []

    def fail_first(context):
        calls.append(context)
        if len(calls) in (2, 3):  # Not the card.
            context.abort(grpc.StatusCode.UNAVAILABLE, "restarting")

    monkeypatch.setattr(tensorflow_serving.service, "interrupt", fail_first)
    both(compress, tensorflow_serving, "--model=tiny", photo)
    assert len(calls) > 3
    here, there = (Path(each, "photo.tfci").read_bytes() for each in ("here", "there"))
    assert here == there


def test_results_that_make_no_sense_are_refused(tensorflow_serving, monkeypatch):
    server = urls.connect(tensorflow_serving.url)
    remote = remote_models.load(server, "tiny")
    wrong = {"images": np.zeros((1, 16, 16, 3), np.uint8)}
    monkeypatch.setattr(server, "call", lambda *_, **inputs: wrong)
    with pytest.raises(ServerError, match="expected images uint8"):
        remote.model.synthesis(np.zeros((4, 4, 24)), np.zeros(4, np.int32), 50)
