"""Folders and cards of serving exports."""

import json
import os
import subprocess
import sys

import pytest

from tests import tiny
from tf_imgcomp import __version__
from tf_imgcomp.errors import ModelError
from tf_imgcomp.export import postfilter
from tf_imgcomp.serving import codec, export


def test_models_whose_card_tells_no_sizes_are_refused(tmp_path):
    folder = tmp_path / "some"
    folder.mkdir()
    card = {"id": "some", "fingerprint": 1, "bytes_per_pixel": 1.0}
    card |= {"tile": 64, "border": 4}
    (folder / "card.json").write_text(json.dumps(card))
    with pytest.raises(ModelError, match="model 'some': expected 'codec' or .*'sizes'"):
        export.export(folder, tmp_path / "out")


@pytest.mark.slow
def test_other_variables_than_the_card_tells_are_refused(tmp_path):
    folder = tmp_path / "tiny+xue2019"
    sizes = {**tiny.FILTER_SIZES, "blocks": 3}
    facts = {"postfilter": "xue2019", "sizes": sizes}
    postfilter.export(tiny.random_filter(), folder, facts)
    with pytest.raises(ModelError, match="does not have the variables"):
        export.export(folder, tmp_path / "out")


@pytest.mark.slow
def test_cards_have_the_table_of_signatures(serving_folder):
    card = json.loads((serving_folder / "card.json").read_text())
    assert (card["id"], serving_folder.name) == ("tiny", "1")
    assert card["signatures"]["compress"] == {
        "inputs": {"images": "string [?]", "quality": "float32 [?]"},
        "outputs": {
            "bpp": "float32 [?]",
            "error": "string [?]",
            "files_bytes": "string [?]",
        },
    }


@pytest.mark.parametrize(("there", "expected"), [([], 1), (["1", "9", "x"], 10)])
def test_versions_count_up(there, expected, tmp_path):
    for name in there:
        (tmp_path / name).mkdir()
    assert export.next_version(tmp_path) == expected


@pytest.mark.parametrize(
    ("change", "is_kept"),
    [
        ({}, True),
        ({"fingerprint": 2}, False),
        ({"pixels_max": 7}, False),
        ({"exported_by": "tf_imgcomp 0.0.1"}, False),
        ({"exported_by": None}, False),
    ],
)
def test_outdated_exports_are_written_again(change, is_kept, tmp_path, monkeypatch):
    card = {"id": "some", "fingerprint": 1, "bytes_per_pixel": 1.0}
    card |= {"tile": 64, "border": 4}
    made = {"pixels_max": 99, "exported_by": f"tf_imgcomp {__version__}"}
    made |= {"signatures": dict.fromkeys(codec.SIGNATURES)}
    for folder, facts in (("some", {}), ("out/some/1", {**made, **change})):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "card.json").write_text(json.dumps({**card, **facts}))
    new = tmp_path / "new"
    monkeypatch.setattr(export, "export", lambda *_, **__: new)
    found = export.up_to_date(tmp_path / "some", tmp_path / "out", pixels_max=99)
    assert found == (tmp_path / "out" / "some" / "1" if is_kept else new)


@pytest.mark.slow
def test_the_program_writes_exports(models_folder, tmp_path):
    model, output = models_folder / "tiny", tmp_path / "out"
    command = [sys.executable, "-m", "tf_imgcomp_bin.export_serving"]
    command += [f"--model={model}", f"--output={output}"]
    # TensorFlow has set this here, too late for a program that imports it later.
    env = {key: value for key, value in os.environ.items() if key != "TF2_BEHAVIOR"}
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=env)
    assert result.returncode == 0
    assert result.stdout.splitlines()[-1] == str(output / "tiny" / "1")
    assert export.up_to_date(model, output) == output / "tiny" / "1"
