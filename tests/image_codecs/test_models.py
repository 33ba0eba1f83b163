"""Finding models, and errors for missing and damaged ones."""

import importlib.util
import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from tf_imgcomp.errors import ModelError
from tf_imgcomp.image_codecs import models
from tf_imgcomp.image_codecs.classical import CLASSICAL_CODECS

CARD = {"id": "tiny", "fingerprint": 1, "bytes_per_pixel": 1500.0, "tile": 1024}
CARD["border"] = 4


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    """Two empty folders of models, searched first; the current folder is neither."""
    folders = (tmp_path / "mine", tmp_path / "other")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("TF_IMGCOMP_MODELS", os.pathsep.join(map(str, folders)))
    return folders


def write_card(folder: Path, content) -> str:
    """Makes a folder with only a card; returns its name."""
    folder.mkdir(parents=True)
    text = content if isinstance(content, str) else json.dumps(content)
    (folder / "card.json").write_text(text)
    return str(folder)


def check_error(message, load, model):
    with pytest.raises(ModelError) as error:
        load(model)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("load", [models.load, models.load_by_id])
def test_an_unknown_id_says_which_there_are(folders, load):
    shipped = models.available()
    there = sorted([*shipped, *CLASSICAL_CODECS])
    message = (
        f"needs model 'nix'; there are: {', '.join(there)}; name your own by its folder"
    )
    check_error(message, load, "nix")
    write_card(folders[0] / "b", CARD)
    write_card(folders[1] / "b", CARD)
    write_card(folders[1] / "a", CARD)
    assert models.available() == sorted(["a", "b", *shipped])
    there = sorted(["a", "b", *shipped, *CLASSICAL_CODECS])
    check_error(f"needs model 'nix'; there are: {', '.join(there)}", load, "nix")


def test_an_id_is_preferred_to_a_folder_of_that_name(folders):
    write_card(Path("same"), "here")
    write_card(folders[1] / "same", "other")
    other = f"{folders[1] / 'same' / 'card.json'} is not JSON: "
    check_error(other, models.load, "same")
    check_error("same/card.json is not JSON: ", models.load, "./same")
    write_card(folders[0] / "same", "mine")
    mine = f"{folders[0] / 'same' / 'card.json'} is not JSON: "
    check_error(mine, models.load, "same")


@pytest.mark.parametrize("name", ["planted", "./planted", "../here/planted"])
def test_only_users_name_folders(folders, name):
    write_card(Path("planted"), "here")
    check_error(f"needs model {name!r}; there are: ", models.load_by_id, name)
    check_error(f"{Path(name)}/card.json is not JSON: ", models.load, name)


def test_other_folders_are_told(folders):
    Path("empty").mkdir()
    message = "empty is not a model: card.json: No such file or directory"
    check_error(message, models.load, "empty")
    Path("file").touch()
    check_error("needs model 'file'; there are: ", models.load, "file")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", " is not JSON: Expecting value"),
        ('{"id": "ti', " is not JSON: Unterminated string"),
        ([], ": expected 'id' of a model, received None"),
        ({**CARD, "id": 3}, ": expected 'id' of a model, received 3"),
        ({"id": "tiny"}, ": expected 'fingerprint' of a model, received None"),
        (
            {**CARD, "bytes_per_pixel": "1500"},
            ": expected 'bytes_per_pixel' of a model, received '1500'",
        ),
        ({**CARD, "tile": None}, ": expected 'tile' of a model, received None"),
        ({**CARD, "border": 4.5}, ": expected 'border' of a model, received 4.5"),
        ({**CARD, "id": "../up"}, ": expected 'id' of a model, received '../up'"),
        ({**CARD, "id": "x" * 65}, ": expected 'id' of a model, received 'xxx"),
        (
            {**CARD, "fingerprint": 2**16},
            ": expected 'fingerprint' of a model, received 65536",
        ),
        (
            {**CARD, "fingerprint": True},
            ": expected 'fingerprint' of a model, received True",
        ),
        ({**CARD, "tile": 0}, ": expected 'tile' of a model, received 0"),
        ({**CARD, "tile": 100}, ": expected 'tile' of a model, received 100"),
        ({**CARD, "border": -1}, ": expected 'border' of a model, received -1"),
        (
            {**CARD, "encoder_base": -1.0},
            ": expected 'encoder_base' of a model, received -1.0",
        ),
        (
            {**CARD, "bytes_per_pixel": float("nan")},
            ": expected 'bytes_per_pixel' of a model, received nan",
        ),
    ],
)
def test_a_damaged_card_is_told(content, message):
    model = write_card(Path("model"), content)
    check_error(f"model/card.json{message}", models.load, model)


@pytest.mark.parametrize("id_", ["noise", "xue2019", "bpg+"])
def test_a_filter_without_a_codec_is_told(monkeypatch, id_):
    card = {**CARD, "id": id_, "postfilter": "xue2019"}
    model = write_card(Path("model"), card)
    monkeypatch.setattr(models.SavedFilter, "load", lambda self: None)
    message = f"model: expected CODEC+NAME as a filter's id, received {id_!r}"
    check_error(message, models.load, model)


@pytest.fixture
def copy(tiny_model):
    """The name of a copy of a model, which a test may damage."""
    shutil.copytree(tiny_model, "copy")
    return "copy"


@pytest.mark.slow
def test_a_model_loads_by_id_and_by_folder(folders, tiny_model):
    shutil.copytree(tiny_model, folders[0] / "tiny")
    pixels = np.zeros((16, 16, 3), np.uint8)
    by_id, by_folder = models.load_by_id("tiny"), models.load(str(tiny_model))
    assert by_id.fingerprint == by_folder.fingerprint
    assert by_id.compress(pixels, 50) == by_folder.compress(pixels, 50)


def cut(path: str):
    content = Path(path).read_bytes()
    Path(path).write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda: Path("copy/saved_model.pb").unlink(), "FileNotFoundError: [Errno 2]"),
        (lambda: cut("copy/saved_model.pb"), "DecodeError: Error parsing"),
        (lambda: shutil.rmtree("copy/variables"), "NotFoundError: Unsuccessful"),
        (
            lambda: cut("copy/variables/variables.data-00000-of-00001"),
            "OutOfRangeError: ",
        ),
    ],
)
def test_a_damaged_model_is_told(copy, damage, message):
    damage()
    check_error(f"model copy does not load: {message}", models.load, copy)


def test_a_card_of_other_weights_is_told(copy):
    card = json.loads(Path("copy/card.json").read_text())
    fingerprint = card["fingerprint"]
    card["fingerprint"] = 0xABCD
    Path("copy/card.json").write_text(json.dumps(card))
    message = f"model copy has fingerprint {fingerprint}, its card.json is for "
    check_error(message, models.load, copy)


def test_missing_range_coder_is_named(monkeypatch, tiny_model):
    name = "tensorflow_compression.python.ops.gen_ops"
    monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda package: None)
    with pytest.raises(ModelError, match="codecs need tensorflow-compression to be"):
        models.load(str(tiny_model))
