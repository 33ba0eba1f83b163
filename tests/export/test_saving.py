"""The folder of an exported model, written anew."""

import json

import pytest
import tensorflow as tf

from tf_imgcomp.export import saving


class Adder(tf.Module):
    def __init__(self, fingerprint):
        super().__init__()
        self.fingerprint = tf.Variable(fingerprint, trainable=False)

    @tf.function(input_signature=[tf.TensorSpec([])])
    def add(self, x):
        return {"sum": x + tf.cast(self.fingerprint, tf.float32)}


def save(folder, number, finish=saving.nothing_more):
    module = Adder(number)
    facts, card = {"tile": 64}, {"steps": number, "tile": 9, "fingerprint": 9}
    saving.save(module, {"add": module.add}, folder, facts, card, finish)


def contents(folder):
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder): path.read_bytes() for path in files}


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "models" / "mine"
    save(folder, 1)
    (folder / "README").write_text("of the user")
    return folder


def test_a_new_model_replaces_the_old_one_and_nothing_else(folder):
    save(folder, 2)
    card = json.loads((folder / "card.json").read_text())
    assert card == {"id": "mine", "fingerprint": 2, "tile": 64, "steps": 2}
    model = tf.saved_model.load(str(folder))
    assert float(model.add(1.0)["sum"]) == 3
    assert (folder / "README").read_text() == "of the user"
    assert list(folder.parent.iterdir()) == [folder]


def test_a_link_to_a_folder_stays(folder):
    link = folder.with_name("link")
    link.symlink_to(folder.name)
    save(link, 2)
    assert link.is_symlink()
    card = json.loads((folder / "card.json").read_text())
    assert (card["id"], card["fingerprint"]) == ("link", 2)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError("disk full")])
def test_the_old_model_is_whole_until_the_new_one_is(folder, error):
    old = contents(folder)

    def fail(new):
        assert (new / "card.md").exists()
        assert contents(folder) == old
        raise error

    with pytest.raises(type(error)):
        save(folder, 2, fail)
    assert contents(folder) == old
    assert list(folder.parent.iterdir()) == [folder]


def test_the_old_model_returns_if_the_new_one_cannot_take_its_place(
    folder, monkeypatch
):
    old, rename = contents(folder), type(folder).rename

    def fail_for_new(path, target):
        if path.name == "new":
            raise OSError("no")
        return rename(path, target)

    monkeypatch.setattr(type(folder), "rename", fail_for_new)
    with pytest.raises(OSError, match="^no$"):
        save(folder, 2)
    assert contents(folder) == old
    assert list(folder.parent.iterdir()) == [folder]
