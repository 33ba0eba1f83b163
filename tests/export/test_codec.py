"""The exported folder of a codec, loaded without this package."""

import subprocess
import sys

import pytest
import tensorflow as tf
import tensorflow_compression  # noqa: F401  It registers the range coder.

_STRANGER = """
import sys
import tensorflow as tf
import tensorflow_compression
assert not any(name.startswith("tf_imgcomp") for name in sys.modules)
model = tf.saved_model.load(sys.argv[1])
image = tf.cast(tf.reshape(tf.range(40 * 50 * 3) % 251, (40, 50, 3)), tf.uint8)
coded = model.signatures["compress"](image=image, quality=tf.constant(95.0))
back = model.signatures["decompress"](
    strings=coded["strings"], height=tf.constant(40), width=tf.constant(50),
    quality=coded["quality"])
assert back["image"].shape == (40, 50, 3) and bool(back["sound"])
assert int(back["checksum"]) == int(coded["checksum"])
y = model.signatures["analysis"](image=image, quality=tf.constant(95.0))["y"]
synthesis = model.signatures["synthesis"]
whole = synthesis(y_hat=tf.floor(y + 0.5), quality=tf.constant(95.0))
assert whole["image"].shape == (64, 64, 3)
print("fine")
"""


@pytest.mark.slow
def test_a_program_without_this_package_can_use_it(tiny_model, tmp_path):
    run = subprocess.run(
        [sys.executable, "-I", "-W", "ignore", "-c", _STRANGER, str(tiny_model)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert run.stdout.split()[-1:] == ["fine"], run.stderr


def test_signatures_are_the_documented_ones(tiny_model):
    loaded = tf.saved_model.load(str(tiny_model))
    assert set(loaded.signatures) == {
        "compress",
        "decompress",
        "analysis",
        "synthesis",
        "latents",
    }
