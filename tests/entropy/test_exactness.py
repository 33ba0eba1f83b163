"""The same bytes and the same latents, however they are computed."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import tiny
from tests.entropy import reference
from tests.golden import regenerate
from tf_imgcomp import bitstream
from tf_imgcomp.entropy import tables as tables_module
from tf_imgcomp.entropy.fixed_point import ACTIVATION_MAX, SUM_MAX, IntegerDense
from tf_imgcomp.entropy.integer_coder import IntegerCoder
from tf_imgcomp.export import models
from tf_imgcomp.ops import checkerboard

QUALITY = tf.constant(7250, tf.int64)


def _latents(height=12, width=16, depth=24):
    """Latents with certain, narrow, wide and escaping elements."""
    random = np.random.default_rng(3)
    scales = np.exp(random.normal(size=depth) * 2)
    y = random.normal(size=(1, height, width, depth)) * scales
    y[0, 0, 0, 0], y[0, -1, -1, -1] = 5000.0, -3000.0
    z = random.normal(size=(1, height // 4, width // 4, 8)) * 4
    return tf.constant(y, tf.float32), tf.constant(z, tf.float32)


def _coder(**switches):
    codec = tiny.random_codec(**switches)
    return IntegerCoder(codec.latent_coder, codec.gain)


def _digest(encoded):
    digest = hashlib.sha256(b"".join(encoded.strings.numpy()))
    digest.update(encoded.y_hat.numpy().astype(np.int32).tobytes())
    return digest.hexdigest()


SWITCHES = [
    {"context": context, "components": components}
    for context in ("none", "checkerboard")
    for components in (1, 2, 3)
]


@pytest.mark.parametrize("switches", SWITCHES, ids=str)
def test_latents_come_back_exactly(switches):
    coder = _coder(**switches)
    y, z = _latents()
    encoded = coder.encode(y, z, QUALITY)
    decoded = coder.decode(encoded.strings, *z.shape[1:3], QUALITY)
    assert decoded.sound
    assert decoded.checksum == encoded.checksum
    np.testing.assert_array_equal(decoded.y_hat, encoded.y_hat)
    # Certain elements may differ from their rounded values; few do.
    assert np.mean(encoded.y_hat != np.floor(y + 0.5)) < 0.02


def test_eager_and_function_give_the_same_bytes():
    coder = _coder()
    y, z = _latents()
    eager = _digest(coder.encode(y, z, QUALITY))
    assert _digest(tf.function(coder.encode)(y, z, QUALITY)) == eager


def test_xla_gives_the_same_bytes(monkeypatch):
    """Networks and tables compiled by XLA; selecting elements is not for XLA."""
    coder = _coder()
    y, z = _latents()
    expected = _digest(coder.encode(y, z, QUALITY))
    compiled = []

    def compile_with_xla(function):
        compiled.append(function)
        return tf.function(function, jit_compile=True)

    for name in ("describe", "context_prediction"):
        setattr(coder, name, compile_with_xla(getattr(coder, name)))
    parameters = coder.parameters
    with_context = compile_with_xla(parameters)
    without = compile_with_xla(lambda psi: parameters(psi, None))
    coder.parameters = lambda psi, context: (
        without(psi) if context is None else with_context(psi, context)
    )
    for name in ("make_mixture", "is_certain"):
        function = getattr(tables_module, name)
        jitted = compile_with_xla(
            lambda *fields, function=function: function(coder.tables, *fields)
        )
        wrapper = lambda _, *fields, jitted=jitted: jitted(*fields)  # noqa: E731
        monkeypatch.setattr(tables_module, name, wrapper)
    monkeypatch.setattr(
        "tf_imgcomp.entropy.integer_coder.make_mixture", tables_module.make_mixture
    )
    rows = tables_module.cdf_rows
    jitted_rows = {
        width: compile_with_xla(
            lambda *fields, width=width: rows(coder.tables, *fields, width)
        )
        for width in tables_module.HALF_WIDTHS
    }
    monkeypatch.setattr(
        tables_module, "cdf_rows", lambda _, mixture, width: jitted_rows[width](mixture)
    )
    assert _digest(coder.encode(y, z, QUALITY)) == expected
    assert len(compiled) == 6 + len(tables_module.HALF_WIDTHS)


_PROGRAM = """
import sys
import tensorflow as tf
tf.config.threading.set_intra_op_parallelism_threads(int(sys.argv[1]))
from tests.entropy import test_exactness as t
print(t._digest_of_golden_model(sys.argv[2]))
"""


def _digest_of_golden_model(folder: str) -> str:
    """What the golden model makes of an image, and of latents, all in one hash."""
    codec = models.load(folder)
    coded = codec.compress(regenerate.image(100, 130), 80.0)
    digest = hashlib.sha256(b"".join(coded.strings))
    y_hat = codec.latents(coded.strings, 100, 130, 80.0)
    digest.update(y_hat.astype(np.int32).tobytes())
    return digest.hexdigest()


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("onednn", [0, 1])
def test_threads_and_onednn_give_the_same_bytes_and_latents(
    threads, onednn, tiny_model
):
    environment = {
        **os.environ,
        "TF_ENABLE_ONEDNN_OPTS": str(onednn),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "PYTHONWARNINGS": "ignore",
    }
    run = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(threads), str(tiny_model)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.split()[-1] == _digest_of_golden_model(str(tiny_model))


@pytest.mark.parametrize("name", regenerate.FILES)
def test_golden_files_decode_to_their_latents(name, tiny_model):
    file = bitstream.unpack((tiny_model.parent / f"{name}.tfci").read_bytes())
    codec = models.load(str(tiny_model))
    assert (file.codec, file.fingerprint) == (codec.id, codec.fingerprint)
    y_hat = codec.latents(file.strings, file.height, file.width, file.quality)
    with np.load(tiny_model.parent / f"{name}.npz") as golden:
        np.testing.assert_array_equal(y_hat, golden["y_hat"])
    pixels, checksum = codec.decompress(
        file.strings, file.height, file.width, file.quality
    )
    assert checksum == file.checksum
    assert pixels.shape == (file.height, file.width, 3)


def test_networks_equal_a_numpy_reference():
    coder = _coder()
    y, z = _latents(8, 8)
    y, z = np.clip(np.floor(y + 0.5), -500, 500), np.floor(z + 0.5)
    expected = reference.raw_parameters(
        coder, z[0].astype(np.int64), y[0].astype(np.int64)
    )
    psi_anchors, psi_others = checkerboard.split(coder.describe(tf.constant(z)))
    anchors, others = checkerboard.split(tf.constant(y))
    known = checkerboard.merge(anchors, tf.zeros_like(others))
    raw = checkerboard.merge(
        coder.parameters(psi_anchors, None),
        coder.parameters(psi_others, coder.context_prediction(known)),
    )
    np.testing.assert_array_equal(raw[0], expected)


integers = st.integers(-20000, 20000)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(integers, integers, integers), min_size=1, max_size=3),
    st.sampled_from(tables_module.HALF_WIDTHS),
)
def test_table_rows_equal_a_numpy_reference_and_increase(components, half_width):
    tables = tables_module.Tables()
    logits, offsets, scales = (
        tf.constant(column, tf.int32)[:, None] for column in zip(*components)
    )
    mixture = tables_module.make_mixture(tables, logits, offsets, scales)
    row = tables_module.cdf_rows(tables, mixture, half_width)[0].numpy()
    centre, expected = reference.cdf_row(tables, *zip(*components), half_width)
    assert mixture.centre[0] == centre
    np.testing.assert_array_equal(row, expected)
    assert row[1] == 0
    assert row[-1] == 2**16
    assert (np.diff(row[1:]) > 0).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([0.01, 0.3, 3.0]))
def test_sums_of_quantized_layers_stay_exact_in_float32(seed, scale):
    random = np.random.default_rng(seed)
    kernel = random.normal(size=(64, 5)) * scale
    layer = IntegerDense(kernel, random.normal(size=5), 7, ACTIVATION_MAX, 7)
    weights = layer.weights.numpy().astype(np.int64)
    worst = np.abs(weights).sum(0) * ACTIVATION_MAX + np.abs(layer.biases.numpy())
    assert (worst <= SUM_MAX).all()
    x = random.integers(-ACTIVATION_MAX, ACTIVATION_MAX + 1, size=(20, 64))
    np.testing.assert_array_equal(
        layer.accumulate(tf.constant(x, tf.float32)), x @ weights + layer.biases.numpy()
    )


def test_weights_beyond_the_format_are_refused():
    kernel = np.full((4, 1), 1e6)
    with pytest.raises(ValueError, match="Expected weights that fit 7 to 7"):
        IntegerDense(kernel, np.zeros(1), 7, ACTIVATION_MAX, 7)
