"""An exported post-filter."""

import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tests import tiny
from tf_imgcomp.export.postfilter import export
from tf_imgcomp.postfilter.inference import restore
from tf_imgcomp.training.weights import round_as_saved


@pytest.fixture(scope="module")
def postfilter():
    made = tiny.random_filter()
    round_as_saved(made)
    return made


@pytest.fixture(scope="module")
def folder(postfilter, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "tiny_filter"
    export(postfilter, folder, {"postfilter": "xue2019", "sizes": tiny.FILTER_SIZES})
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("signature", ["filter", "rotations", "flips"])
def test_every_signature_restores(signature, postfilter, folder, make_image):
    model = tf.saved_model.load(str(folder))
    ensemble = "none" if signature == "filter" else signature
    for image in (make_image(1, 1), make_image(33, 50)):
        result = model.signatures[signature](image=image, qp=tf.constant(37.0))
        expected = restore(postfilter, image, 37.0, ensemble).numpy().astype(int)
        assert np.abs(result["image"].numpy() - expected).max() <= 1
        assert np.mean(result["image"].numpy() != expected) < 0.01


@pytest.mark.slow
def test_the_card_names_the_weights(folder):
    card = json.loads((folder / "card.json").read_text())
    assert card["id"] == "tiny_filter"
    assert card["postfilter"] == "xue2019"
    model = tf.saved_model.load(str(folder))
    assert card["fingerprint"] == int(model.fingerprint)


_WITHOUT_PACKAGE = """
import sys
sys.modules["tf_imgcomp"] = None
import tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
image = tf.zeros((5, 7, 3), tf.uint8)
print(model.signatures["filter"](image=image, qp=tf.constant(40.0))["image"].shape)
"""


@pytest.mark.slow
def test_the_folder_needs_tensorflow_alone(folder):
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _WITHOUT_PACKAGE, str(folder)],
        capture_output=True,
        text=True,
    )
    assert run.stdout == "(5, 7, 3)\n", run.stderr[-2000:]
