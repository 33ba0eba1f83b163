"""Exporting a model again, from its own folder."""

import json

import numpy as np
import pytest

from tests import tiny
from tests.bin.test_compress import check_error, run
from tf_imgcomp.model_folder import CARD, read_card
from tf_imgcomp.runs.keras_models import export_trained, load_trained
from tf_imgcomp_bin import export_model


@pytest.mark.slow
def test_the_same_weights_make_the_same_model(tmp_path, capsys):
    folder = tmp_path / "mine"
    export_trained(tiny.randomized(tiny.PLAIN), folder, {"data": "noise"})
    before = read_card(folder)
    (folder / "saved_model.pb").unlink()
    run(export_model, str(folder))
    assert f"fingerprint {before['fingerprint']}" in capsys.readouterr().out
    assert json.loads((folder / CARD).read_text()) == before
    assert (folder / "saved_model.pb").is_file()


@pytest.mark.slow
def test_a_model_gets_the_mean_weights_of_others(tmp_path):
    folders = [tmp_path / name for name in ("one", "two", "mean")]
    models = [tiny.randomized(tiny.PLAIN, seed) for seed in (1, 2, 3)]
    for model, folder in zip(models, folders):
        export_trained(model, folder, {"data": "noise", "validation": {"bpp": 1.0}})
    weights = ",".join(map(str, folders[:2]))
    run(export_model, f"--weights={weights}", str(folders[2]))
    means = load_trained(folders[2]).get_weights()
    pairs = zip(*(model.get_weights() for model in models[:2]))
    for mean, pair in zip(means, pairs):  # Some have 8 significant bits in files.
        np.testing.assert_allclose(mean, np.mean(pair, axis=0), rtol=0.01, atol=1e-3)
    card = read_card(folders[2])
    assert card["data"] == "noise"
    assert "validation" not in card


def test_weights_are_for_one_model(tmp_path, capsys):
    assert run(export_model, "--weights=a.npz", "one", "two") == 2
    assert "expected one folder with --weights" in capsys.readouterr().err


def test_what_is_no_model_is_refused(tmp_path, capsys):
    message = f"{tmp_path} is not a model"
    check_error(capsys, export_model, message, str(tmp_path))
