"""The slow mode: smaller files for the same decoder, never worse ones."""

import shutil
from dataclasses import asdict
from types import SimpleNamespace

import numpy as np
import pytest

from tests import tiny
from tests.golden import regenerate
from tf_imgcomp.codecs.refinement_config import RefinementConfig
from tf_imgcomp.errors import ModelError
from tf_imgcomp.export.packed_weights import half_precision, in_saved_order
from tf_imgcomp.files.goals import Goal, encode
from tf_imgcomp.image_codecs import models
from tf_imgcomp.image_codecs.effort import FAST, ITERATIONS
from tf_imgcomp.image_codecs.refined import RefinedCodec
from tf_imgcomp.image_files.images import Photo
from tf_imgcomp.metrics import mse, psnr
from tf_imgcomp.runs.keras_models import export_trained

pytestmark = pytest.mark.slow

HEIGHT, WIDTH, QUALITY = 64, 100, 70.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "refinable"
    export_trained(tiny.golden_codec(), folder, {})
    return folder


@pytest.fixture(scope="module")
def codec(folder):
    return models.load(str(folder))


@pytest.fixture(scope="module")
def refinement(codec):
    return codec.model.load("refinement")


@pytest.fixture(scope="module")
def refined(codec, refinement):
    """A codec that takes as few iterations as improve a file."""
    return RefinedCodec(codec, refinement, codec.model.trained_weights(), iterations=4)


@pytest.fixture(scope="module")
def image():
    return regenerate.image(HEIGHT, WIDTH)


def _size(coded):
    return sum(map(len, coded.first + coded.rest))


def _cost(codec, image, coded, lmbda):
    decoded = codec.decompress(coded, HEIGHT, WIDTH)
    return 8 * _size(coded) + lmbda * HEIGHT * WIDTH * mse(image, decoded)


@pytest.mark.parametrize("quality", [1.0, QUALITY])
def test_refined_files_decode_and_are_never_worse(codec, refined, image, quality):
    before, after = (each.compress(image, quality) for each in (codec, refined))
    assert after.quality == before.quality
    assert _size(after) <= _size(before)
    lmbda = float(tiny.golden_codec().lmbda(quality))
    costs = [_cost(codec, image, coded, lmbda) for coded in (before, after)]
    assert costs[1] <= costs[0]
    if quality == QUALITY:
        assert costs[1] < costs[0]


def test_an_image_has_one_refined_file(refined, image):
    assert refined.compress(image, QUALITY) == refined.compress(image, QUALITY)


def test_results_that_are_worse_are_not_taken(codec, refinement, image):
    def no_latents(**inputs):
        found = refinement.objective(**inputs)
        return {**found, "y_hat": 0 * found["y_hat"]}

    harmful = SimpleNamespace(
        weights=refinement.weights,
        objective=no_latents,
        distortion=refinement.distortion,
    )
    worse = RefinedCodec(codec, harmful, codec.model.trained_weights(), iterations=1)
    assert worse.compress(image, QUALITY) == codec.compress(image, QUALITY)


def test_searches_keep_their_promise(codec, refined, image):
    plain = codec.compress(image, QUALITY)
    limit = _size(plain) + 100
    encoded = encode(refined, Photo(image), Goal(max_bytes=limit))
    assert len(encoded.data) <= limit
    assert (
        encoded.file.quality
        >= encode(codec, Photo(image), Goal(max_bytes=limit)).file.quality
    )
    decoded = codec.decompress(plain, HEIGHT, WIDTH)
    goal = Goal(target_psnr=psnr(image, decoded) - 0.01)  # Not out of all reach.
    encoded = encode(refined, Photo(image), goal)
    assert encoded.psnr >= goal.target_psnr
    assert len(encoded.data) <= len(encode(codec, Photo(image), goal).data)


# Of the functions, not of their caller.
EXPORTED = {"distortion", "ms_ssim_scale", "probes", "bits_per_error_min"}


def test_the_card_says_how_latents_are_refined(codec, refinement, image, monkeypatch):
    """Other settings lead to other latents; a card without any has the defaults."""
    trained, default = codec.model.trained_weights(), RefinementConfig()

    def last_latents(settings):
        seen = []

        def objective(y, z, **others):
            seen.append(np.concatenate([y.ravel(), z.ravel()]))
            return refinement.objective(y=y, z=z, **others)

        card = {**codec.card, "sizes": {"refinement": settings}}
        monkeypatch.setattr(codec, "card", card)
        functions = SimpleNamespace(
            weights=refinement.weights,
            objective=objective,
            distortion=refinement.distortion,
        )
        RefinedCodec(codec, functions, trained, iterations=2).compress(image, QUALITY)
        return seen[-1]

    expected = last_latents({})
    np.testing.assert_array_equal(last_latents(asdict(default)), expected)
    for name in asdict(default).keys() - EXPORTED:
        changed = {name: getattr(default, name) / 2}
        assert not np.array_equal(last_latents(changed), expected), changed


def test_a_card_with_unknown_settings_is_refused(codec, refinement, monkeypatch):
    card = {**codec.card, "sizes": {"refinement": {"pace": 1.0}}}
    monkeypatch.setattr(codec, "card", card)
    with pytest.raises(ModelError, match="refinement .*'pace': 1.0.* of a model card"):
        RefinedCodec(codec, refinement, codec.model.trained_weights(), iterations=1)


def test_iterations_follow_the_effort(codec, image):
    assert list(ITERATIONS) == list(range(1, 10))
    assert codec.with_effort(FAST) is codec
    seen = []
    codec.with_effort(7, lambda items: seen.append(items) or items[:1]).compress(
        image, QUALITY
    )
    assert seen == [range(ITERATIONS[7] + 1)]


def test_measurements_tell_the_iterations(codec):
    """`evaluation.points.Cache` keeps them apart by the version."""
    assert codec.with_effort(7).version == f"{codec.version}, 10 iterations"


def test_efforts_that_do_not_exist_are_refused(codec):
    for effort in (0, 10, 6.5):
        with pytest.raises(
            ValueError, match="Expected an effort from 1 to 9, received"
        ):
            codec.with_effort(effort)


@pytest.mark.parametrize("lacking", ["folder refinement/", "file weights.npz"])
def test_a_model_that_lacks_a_part_says_so(lacking, folder, tmp_path):
    without = shutil.ignore_patterns(lacking.split()[1].rstrip("/"))
    shutil.copytree(folder, tmp_path / "plain", ignore=without)
    codec = models.load(str(tmp_path / "plain"))
    message = f"model 'refinable' has no {lacking}, which efforts above 6 need"
    with pytest.raises(ModelError, match=message):
        codec.with_effort(7)


def test_a_refinement_of_other_weights_is_refused(folder, codec, monkeypatch):
    monkeypatch.setattr(codec.model, "fingerprint", codec.fingerprint ^ 1)
    with pytest.raises(ModelError, match="refinement has fingerprint"):
        codec.with_effort(7)


def test_tiles_are_refined_one_by_one(tiled, refinement):
    """Each is no worse where it is seen with its surroundings."""
    image, size = regenerate.image(130, 200), (130, 200)
    seen = []
    refined = RefinedCodec(
        tiled,
        refinement,
        half_precision(in_saved_order(tiny.golden_codec())),
        iterations=2,
        progress=lambda items: seen.append(items) or items,
    )
    before, after = (each.compress(image, 90.0) for each in (tiled, refined))
    assert seen == [range(4)]
    assert all(
        len(a) + len(b) <= len(c) + len(d)
        for a, b, c, d in zip(after.first, after.rest, before.first, before.rest)
    )
    errors = [mse(image, tiled.decompress(coded, *size)) for coded in (before, after)]
    lmbda = float(tiny.golden_codec().lmbda(90.0))
    costs = [
        8 * _size(coded) + lmbda * image.shape[0] * image.shape[1] * error
        for coded, error in zip((before, after), errors)
    ]
    assert costs[1] < costs[0]
