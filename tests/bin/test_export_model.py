"""Exporting a model again, from its own folder."""

import json

import pytest

from tests import tiny
from tests.bin.test_compress import check_error, run
from tf_imgcomp.codecs.registry import CODECS
from tf_imgcomp.configured_model import all_sizes
from tf_imgcomp.model_folder import CARD, read_card
from tf_imgcomp.runs.keras_models import export_trained
from tf_imgcomp_bin import export_model


@pytest.mark.slow
def test_the_same_weights_make_the_same_model(tmp_path, capsys):
    sizes = all_sizes(CODECS, "codec", "fdram", tiny.PLAIN)
    card = {"codec": "fdram", "sizes": sizes, "data": "noise"}
    folder = tmp_path / "mine"
    export_trained(tiny.randomized(tiny.PLAIN), folder, card)
    before = read_card(folder)
    (folder / "saved_model.pb").unlink()
    run(export_model, str(folder))
    assert f"fingerprint {before['fingerprint']}" in capsys.readouterr().out
    assert json.loads((folder / CARD).read_text()) == before
    assert (folder / "saved_model.pb").is_file()


def test_what_is_no_model_is_refused(tmp_path, capsys):
    message = f"{tmp_path} is not a model"
    check_error(capsys, export_model, message, str(tmp_path))
