"""Trained Keras models come back from exported ones, and train further."""

import json
import shutil
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import tensorflow as tf

import tf_imgcomp
from tests import tiny
from tests.stub_codec import CARD
from tf_imgcomp import weights_file
from tf_imgcomp.runs import keras_models
from tf_imgcomp.runs.keras_models import (
    export_trained,
    load_trained,
    start_from,
    start_from_mean,
)
from tf_imgcomp.training.weights import named_variables, round_as_saved, save_weights

SHIPPED = sorted((Path(__file__).parents[2] / "saved_models").glob("*/card.json"))


@pytest.fixture(scope="module")
def codec():
    codec = tiny.random_codec()
    round_as_saved(codec)  # As in files.
    return codec


@pytest.fixture(scope="module")
def folder(codec, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "mine"
    others = {"id": "other", "fingerprint": 1, "sizes": {}, "tile": 64}
    tf_imgcomp.export_keras(codec, folder, {"licence": "CC0", **others})
    return folder


@pytest.mark.slow
def test_a_codec_comes_back_and_trains_further(codec, folder, make_image):
    loaded = tf_imgcomp.load_keras(str(folder))
    assert type(loaded) is type(codec)
    images = tf.constant(make_image(64, 128)[None], tf.float32)
    quality = tf.constant([50.0])
    expected, result = codec(images, quality), loaded(images, quality)
    np.testing.assert_array_equal(result.x_hat, expected.x_hat)
    loaded.compile(tf.keras.optimizers.SGD(1e-5))
    before = loaded.trainable_variables[0].numpy()
    loaded.fit(tf.data.Dataset.from_tensors(images), verbose=0)
    assert (loaded.trainable_variables[0].numpy() != before).any()


@pytest.mark.slow
def test_an_exported_model_codes(folder, make_image):
    pixels = make_image(40, 70)
    data = tf_imgcomp.compress(pixels, model=str(folder), quality=80)
    image = tf_imgcomp.decompress(data, model=str(folder))
    assert image.size == (70, 40)
    assert "| licence of the weights | CC0 |" in (folder / "card.md").read_text()
    loaded = tf_imgcomp.load_model(str(folder))
    np.testing.assert_array_equal(image, loaded.decode(loaded.encode(pixels, 80)))


@pytest.mark.slow
def test_a_filter_comes_back(tmp_path, make_image):
    postfilter = tiny.random_filter()
    round_as_saved(postfilter)
    export_trained(postfilter, tmp_path / "bpg+mine", {})
    loaded = load_trained(tmp_path / "bpg+mine")
    images = tf.constant(make_image(64, 64)[None], tf.float32)
    settings = tf.constant([30.0])
    np.testing.assert_array_equal(
        loaded(images, settings), postfilter(images, settings)
    )


def test_a_model_of_another_kind_is_refused(tmp_path):
    with pytest.raises(TypeError, match="a codec or a filter, received Sequential"):
        tf_imgcomp.export_keras(tf.keras.Sequential(), tmp_path / "mine")


def test_a_model_without_weights_is_told(tmp_path):
    card = {**CARD, "id": "mine", "codec": "fdram"}
    (tmp_path / "card.json").write_text(json.dumps(card))
    message = "model 'mine' has no file weights.npz to train it further: export it ag"
    with pytest.raises(tf_imgcomp.ModelError, match=message):
        load_trained(tmp_path)


def test_a_card_that_tells_no_design_is_refused(tmp_path):
    (tmp_path / "card.json").write_text(json.dumps({**CARD, "id": "mine"}))
    (tmp_path / "weights.npz").write_bytes(b"")
    message = "model 'mine': expected 'codec' or 'postfilter' and 'sizes' in its card"
    with pytest.raises(tf_imgcomp.ModelError, match=message):
        load_trained(tmp_path)


@pytest.mark.slow
def test_an_export_that_fails_leaves_the_whole_old_model(
    codec, folder, tmp_path, monkeypatch
):
    copy = shutil.copytree(folder, tmp_path / "mine")
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    monkeypatch.setattr(keras_models, "save_weights", Mock(side_effect=OSError("full")))
    with pytest.raises(OSError, match="full"):
        export_trained(codec, copy, {"licence": "another"})
    after = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    assert after == before
    assert len(before) > 8


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        (tiny.sizes(features=4), "Expected .* of shape "),
        ({**tiny.sizes(), "num_filters": 12}, "Expected .* packed weights in .*mine"),
    ],
)
def test_weights_of_other_sizes_are_refused(sizes, message, folder, tmp_path):
    shutil.copytree(folder, tmp_path / "mine")
    card = tmp_path / "mine" / "card.json"
    card.write_text(json.dumps({**json.loads(card.read_text()), "sizes": sizes}))
    with pytest.raises(tf_imgcomp.ModelError, match=message):
        load_trained(tmp_path / "mine")


@pytest.mark.slow
def test_no_weight_is_stored_twice(folder):
    names = weights_file.read(folder / "weights.npz")
    assert names
    assert all(name.startswith("latent_coder/") for name in names)
    assert not any(name.startswith("latent_coder/hyper_analysis") for name in names)


@pytest.mark.slow
def test_a_model_starts_from_a_folder_or_from_a_file(folder, tmp_path):
    trained = load_trained(folder)
    save_weights(trained, tmp_path / "weights.npz")
    for source in (folder, tmp_path / "weights.npz"):
        model = tiny.randomized(trained.get_config()["config"], seed=2)
        start_from(source, model, "gain|latent_coder")
        theirs = named_variables(trained)
        for name, variable in named_variables(model).items():
            same = (variable.numpy() == theirs[name].numpy()).all()
            assert same == name.startswith(("gain", "latent_coder")), name


@pytest.mark.slow
def test_a_model_starts_from_the_mean_of_several(tmp_path):
    models = [tiny.randomized(tiny.SIZES["fdram"], seed) for seed in (1, 2, 3)]
    files = [tmp_path / "a.npz", tmp_path / "b.npz"]
    for trained, file in zip(models, files):
        round_as_saved(trained)
        save_weights(trained, file)
    expected = [
        np.mean(values, axis=0)
        for values in zip(*(trained.get_weights() for trained in models[:2]))
    ]
    start_from_mean(files, models[2])
    for ours, theirs in zip(models[2].get_weights(), expected):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    start_from_mean(files[:1], models[2])
    for ours, theirs in zip(models[2].get_weights(), models[0].get_weights()):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.slow
@pytest.mark.parametrize("card", SHIPPED, ids=lambda card: card.parent.name)
def test_shipped_models_can_be_trained_further(card):
    model = load_trained(card.parent)
    assert {variable.dtype for variable in model.trainable_variables} == {tf.float32}
