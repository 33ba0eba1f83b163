"""The functions of a codec: exported, on tiles, and its fingerprint."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from tests import tiny
from tf_imgcomp.export import constants
from tf_imgcomp.export.codec import CodecModule
from tf_imgcomp.export.constants import canonical_json
from tf_imgcomp.layers import lapped

QUALITY, HUNDREDTHS = 60.0, tf.constant(6000, tf.int64)

_STRANGER = """
import sys
import tensorflow as tf
import tensorflow_compression
assert not any(name.startswith("tf_imgcomp") for name in sys.modules)
model = tf.saved_model.load(sys.argv[1])
image = tf.cast(tf.reshape(tf.range(40 * 50 * 3) % 251, (40, 50, 3)), tf.uint8)
crop = tf.zeros([4], tf.int32)
call = model.signatures
coded = call["compress"](image=image, crop=crop, quality=tf.constant(95.0))
quality = coded["quality"]
first = call["first"](strings=coded["first"], rows=tf.constant(4),
    columns=tf.constant(4), quality=quality)
rest = call["rest"](strings=coded["rest"], psi=first["psi"],
    y_hat=first["y_hat"], quality=quality)
assert first["valid_string_count"] and rest["valid_string_count"]
assert [first["checksum"], rest["checksum"]] == list(coded["checksums"])
whole = call["synthesis"](y_hat=rest["y_hat"], crop=crop, quality=quality)
assert whole["image"].shape == (64, 64, 3)
y = call["analysis"](image=image, crop=crop, quality=quality)["y"]
assert y.shape == rest["y_hat"].shape
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


def test_signatures_are_the_documented_ones(module):
    names = {"compress", "encode", "analysis", "first", "rest", "synthesis", "preview"}
    assert set(module.signatures) == names


@pytest.fixture(scope="module")
def codec():
    return tiny.random_codec()


@pytest.fixture(scope="module")
def module(codec):
    return CodecModule(codec)


@pytest.mark.slow
def test_the_exported_encoder_corrects_its_latents(make_image):
    image, whole = make_image(128, 128), tf.zeros([4], tf.int32)
    errors = []
    for shares in (), (0.6,):
        module = CodecModule(tiny.randomized({**tiny.PLAIN, "feedback": shares}))
        decoded = module.decoded(module.compress(image, whole, QUALITY), 128, 128)
        errors.append(np.mean(np.square(decoded - image.astype(float))))
    assert errors[1] < errors[0]


@pytest.mark.slow
def test_tiles_are_cut_out_of_what_their_surroundings_tell(module, codec, make_image):
    image, whole = make_image(256, 192), tf.zeros([4], tf.int32)
    crop = tf.constant([4, 8, 0, 4])
    uncropped = module.analysis(image, whole, HUNDREDTHS)["y"]
    latents = module.analysis(image, crop, HUNDREDTHS)
    expected = uncropped[:, 4:8, :8]
    np.testing.assert_array_equal(latents["y"], expected)
    assert latents["z"].shape[1:3] == (1, 2)
    coded = module.compress(image, crop, QUALITY)
    first = module.first(coded["first"], 4, 8, HUNDREDTHS)
    rest = module.rest(first["psi"], first["y_hat"], coded["rest"], HUNDREDTHS)
    checksums = [first["checksum"], rest["checksum"]]
    np.testing.assert_array_equal(checksums, coded["checksums"])
    assert np.max(np.abs(rest["y_hat"] - expected)) <= 1.51
    pixels, tile = (
        module.synthesis(tf.round(uncropped), each, HUNDREDTHS)["image"]
        for each in (whole, crop)
    )
    np.testing.assert_array_equal(tile, pixels[64:128, :128])


@pytest.mark.slow
def test_the_importance_is_that_of_the_tile(make_image):
    module = CodecModule(tiny.random_codec(name="mfca_pmcn"))
    image, crop = make_image(128, 128), tf.constant([4, 0, 0, 4])
    whole = module.analysis(image, tf.zeros([4], tf.int32), HUNDREDTHS)
    tile = module.analysis(image, crop, HUNDREDTHS)
    np.testing.assert_array_equal(tile["importance"], whole["importance"][4:, :4])


def test_what_changes_files_or_pixels_changes_the_constants(codec, monkeypatch):
    found = {canonical_json(codec, 1024), canonical_json(codec, 512)}
    skips_less = replace(codec.config.coder, certain_bits=9.0)
    patches = (
        (codec, "config", replace(codec.config, border=codec.border + 2)),
        (constants, "INTEGERS_PER_STREAM", 1000),
        (lapped, "DELTA_WEIGHT", 0.2),
        (codec, "config", replace(codec.config, lmbda_max=0.3)),
        (codec, "config", replace(codec.config, coder=skips_less)),
    )
    for number, patch in enumerate(patches):
        with monkeypatch.context() as context:
            context.setattr(*patch)
            found.add(canonical_json(codec, 1024))
        assert len(found) == number + 3
    coder = replace(
        codec.config.coder,
        optional_dead_zone=0.5,
        optional_bits_of_one=2.0,
        optional_bits_per_octave=2.0,
    )
    others = replace(
        codec.config,
        gradient_scale=1.0,
        feedback=(0.5, 0.5),
        refinement=replace(codec.config.refinement, step=0.5),
        coder=coder,
    )
    monkeypatch.setattr(codec, "config", others)
    assert canonical_json(codec, 1024) in found


def test_fields_that_were_constants_leave_fingerprints_as_they_were(codec):
    hashed = json.loads(canonical_json(codec, 1024))
    assert "border" not in hashed["config"]
    assert "certain_bits" not in hashed["config"]["coder"]
    assert "bits_per_error" in hashed["config"]["coder"]


def test_the_fingerprint_depends_on_the_tile(codec, module):
    assert CodecModule(codec, 512).fingerprint != module.fingerprint
