"""Training from plain Python, without flags."""

import dataclasses
import json

import numpy as np
import pytest
from PIL import Image

from tests import tiny
from tf_imgcomp.data.patches import PHOTOS
from tf_imgcomp.data.photos import is_held_out
from tf_imgcomp.errors import ImgcompError, ModelError
from tf_imgcomp.image_codecs import models
from tf_imgcomp.losses.scales import LossScales
from tf_imgcomp.runs.config import DataConfig, ObjectiveConfig, TrainedModelConfig
from tf_imgcomp.runs.train import new_trainable, open_photos, train
from tf_imgcomp.training.optimization import OptimizationConfig
from tf_imgcomp.training.trainer import TrainerConfig

MODEL = TrainedModelConfig(name="fdram", sizes=tiny.PLAIN)
TWO_STEPS = TrainerConfig(OptimizationConfig(steps=2, warmup_steps=1))


@pytest.fixture
def data(tmp_path, make_image):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(3):
        Image.fromarray(make_image(70, 90, number)).save(folder / f"{number}.png")
    return DataConfig(folder, tmp_path / "cache", batch=2, crop=64, note="made up")


@pytest.mark.slow
def test_two_steps_make_a_model_that_codes(data, tmp_path, make_image):
    lines, folder = [], tmp_path / "saved" / "mine"
    codec = train(
        data,
        tmp_path / "run",
        TWO_STEPS,
        MODEL,
        export=folder,
        card={"flags": []},
        report=lines.append,
    )
    assert lines[0].startswith("precision ")
    assert lines[1].startswith("3 photos (0 smaller than a crop, padded)")
    assert lines[-2:] == [
        f"saving step 2 to {tmp_path / 'run'}",
        f"exporting to {folder}",
    ]
    before = new_trainable(MODEL, ObjectiveConfig(), TWO_STEPS.seed).model
    weights = zip(codec.get_weights(), before.get_weights())
    assert any(np.any(trained != start) for trained, start in weights)
    card = json.loads((folder / "card.json").read_text())
    assert card["codec"] == "fdram"
    assert card["settings"]["precision"] in lines[0]
    run = json.loads((tmp_path / "run" / "run.json").read_text())
    del run["kind"], run["name"]
    assert card["sizes"] == run.pop("sizes")
    assert card["settings"] == run
    assert run["optimizer"]["epsilon"] == 1e-7  # Adam's own default.
    assert run["objective"]["scales"]["ms_ssim"] == 1275
    assert run["sampling"] == {"pictures": 1, "scale_min": 0.5}
    assert (card["steps"], card["data"], card["flags"]) == (2, "made up", [])
    image = make_image(30, 50)
    exported = models.load(str(folder))
    assert exported.decode(exported.encode(image, 50.0)).shape == image.shape


def test_photos_left_out_and_missing_for_validation_are_told(data):
    (data.folder / "broken.jpg").write_bytes(b"no image")
    lines = []
    photos, held_out = open_photos(data, PHOTOS, lines.append, iter)
    assert (len(photos), held_out) == (3, [])
    assert lines[0].endswith(" 1 unreadable, 0 for validation")
    assert lines[1:] == [
        "not readable, left out: broken.jpg",
        "validation on 0 photos instead of 16: no more are held out (one in 50, by "
        "name)",
    ]


def test_as_many_photos_validate_as_were_asked_for(data, make_image):
    names = (f"a_{number}.png" for number in range(1000))
    names = [name for name in names if is_held_out(name)][:3]
    for name in names:
        Image.fromarray(make_image(70, 90)).save(data.folder / name)
    data = dataclasses.replace(data, validation_photos=2)
    lines = []
    _, held_out = open_photos(data, PHOTOS, lines.append, iter)
    assert len(held_out) == 2
    assert len(lines) == 1


def test_more_photos_can_be_held_out(data, make_image):
    for number in range(20):
        Image.fromarray(make_image(70, 90)).save(data.folder / f"b_{number}.png")
    half = dataclasses.replace(data, one_held_out_in=2)
    photos, held_out = open_photos(half, PHOTOS, lambda line: None, iter)
    names = [path.name for path in data.folder.iterdir()]
    assert len(held_out) == sum(is_held_out(name, 2) for name in names)
    assert 4 < len(held_out) == len(names) - len(photos)


@pytest.mark.slow
def test_a_run_goes_on_where_it_was_and_with_no_other_settings(data, tmp_path):
    def resume(steps=2, seed=1, batch=2, sizes=tiny.PLAIN, report=print, **objective):
        return train(
            dataclasses.replace(data, batch=batch),
            tmp_path / "run",
            TrainerConfig(OptimizationConfig(steps=steps, warmup_steps=1), seed=seed),
            dataclasses.replace(MODEL, sizes=sizes),
            ObjectiveConfig(**objective),
            report=report,
        )

    lines = []
    codec, again = resume(), resume()
    for ours, theirs in zip(again.get_weights(), codec.get_weights()):
        np.testing.assert_array_equal(ours, theirs)
    resume(steps=3, report=lines.append)
    assert "resumed: optimization.steps was 2 and is now 3" in lines
    for changes, message in (
        ({"seed": 2}, "seed was 1 and is now 2"),
        ({"batch": 1}, "batch was 2 and is now 1"),
        (
            {"scales": LossScales(ms_ssim=9.0)},
            "objective.scales.ms_ssim was 1275.0 and is now 9.0",
        ),
        ({"sizes": {**tiny.PLAIN, "levels": 4}}, "sizes.levels was 3 and is now 4"),
    ):
        with pytest.raises(ImgcompError, match=f"run cannot be resumed: {message}; "):
            resume(steps=3, **changes)
    (data.folder / "0.png").unlink()
    with pytest.raises(ImgcompError, match="resumed: photos_sha256 was"):
        resume(steps=3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loss": "nix"}, "no loss 'nix'; there are: rate_distortion, report"),
        ({"distortion": "nix"}, "no loss 'nix'; there are: mse, ms_ssim, mae, mix"),
    ],
)
def test_unknown_losses_are_refused(changes, message):
    objective = dataclasses.replace(ObjectiveConfig(), **changes)
    with pytest.raises(ModelError, match=message):
        new_trainable(MODEL, objective, seed=1)


def test_unknown_losses_of_filters_are_refused():
    filter_ = TrainedModelConfig(
        kind="postfilter", name="xue2019", sizes=tiny.FILTER_SIZES
    )
    with pytest.raises(ModelError, match="no loss 'nix'; there are: mae, mae_ms_ssim"):
        new_trainable(filter_, ObjectiveConfig(restoration_loss="nix"), seed=1)
