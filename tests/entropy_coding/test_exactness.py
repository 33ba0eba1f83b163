"""The same bytes and latents in eager mode, graphs and XLA, on all CPU settings."""

import functools
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
from tests.entropy_coding import parts, reference
from tests.golden import regenerate
from tests.programs import load_program
from tf_imgcomp import bitstream
from tf_imgcomp.entropy import passes
from tf_imgcomp.entropy_coding import (
    decisions,
    integer_mixture,
    symbol_coding,
    tied_rows,
)
from tf_imgcomp.entropy_coding.integer_coder import IntegerCoder
from tf_imgcomp.entropy_coding.integer_networks import (
    ACTIVATION_MAX,
    SUM_MAX,
    IntegerDense,
)
from tf_imgcomp.image_codecs import models
from tf_imgcomp.image_codecs.interface import Coded

QUALITY = tf.constant(7250, tf.int64)
Z_DEPTH = tiny.sizes()["coder"]["hyper_analysis"][-1][0]
estimation = load_program("estimation")


def _latents(height=12, width=16, depth=24):
    """Latents with certain, narrow, wide and escaped elements."""
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
    digest = hashlib.sha256(b"".join(parts.strings(encoded)))
    digest.update(encoded.y_hat.numpy().astype(np.int32).tobytes())
    return digest.hexdigest()


MIXTURES = ((1, True), (2, True), (1, False), (2, False), (3, False))
SWITCHES = [
    {"context": context, "components": components, "tied": tied}
    for context in passes.CONTEXTS
    for components, tied in MIXTURES
]
# Each context and each mixture.
SOME_SWITCHES = [
    switches
    for switches in SWITCHES
    if switches["context"] == "checkerboard"
    or (switches["components"], switches["tied"]) == (2, True)
]


@pytest.mark.slow
@pytest.mark.parametrize("switches", SWITCHES, ids=str)
def test_latents_come_back_exactly(switches):
    coder = _coder(**switches)
    y, z = _latents()
    encoded = coder.encode(y, z, QUALITY)
    decoded = parts.decode(coder, encoded, QUALITY)
    np.testing.assert_array_equal(decoded.y_hat, encoded.y_hat)
    # Chosen integers are the nearest ones or next to them.
    assert np.max(np.abs(encoded.y_hat - y)) <= 1.5


@pytest.mark.slow
@pytest.mark.parametrize(
    "switches", [*SOME_SWITCHES, {"optional_slice": True}], ids=str
)
def test_integers_that_are_given_are_coded_as_they_are(switches):
    coder = _coder(**switches)
    y, z = _latents()
    chosen = coder.encode(y, z, QUALITY)
    again = coder.encode(chosen.y_hat, tf.floor(z + 0.5), QUALITY, tf.constant(1e6))
    assert _digest(again) == _digest(chosen)
    rounded = tf.floor(y + 0.5)
    encoded = coder.encode(rounded, z, QUALITY, tf.constant(1e6))
    # All but those that are never coded.
    are_coded = encoded.y_hat != 0
    np.testing.assert_array_equal(encoded.y_hat[are_coded], rounded[are_coded])
    assert np.any(rounded != chosen.y_hat)
    decoded = parts.decode(coder, encoded, QUALITY)
    np.testing.assert_array_equal(decoded.y_hat, encoded.y_hat)


@pytest.mark.slow
def test_eager_and_function_give_the_same_bytes():
    coder = _coder()
    y, z = _latents()
    eager = _digest(coder.encode(y, z, QUALITY))
    assert _digest(tf.function(coder.encode)(y, z, QUALITY)) == eager


def _compiled(function):
    return tf.function(function, jit_compile=True)


@pytest.mark.slow
@pytest.mark.parametrize("tied", [True, False])
def test_xla_gives_the_same_bytes(tied, monkeypatch):
    """XLA compiles networks, rows and choices; it cannot compile the range coder."""
    y, z = _latents()
    expected = _digest(_coder(tied=tied).encode(y, z, QUALITY))
    coder, called = _coder(tied=tied), set()

    def compile_with_xla(owner, name):
        compiled = _compiled(getattr(owner, name))

        def call(*arguments):
            called.add(name)
            return compiled(*arguments)

        monkeypatch.setattr(owner, name, call)

    compiled = [(coder, "run_hyper_synthesis")]
    names = ("embed", "channel_context", "context_prediction", "parameters")
    compiled += [(networks, name) for networks in coder.slices for name in names]
    if tied:
        names = ("enough_deviations", "find_rows", "choose_integers")
        compiled += [(tied_rows, name) for name in names]
    else:
        names = ("are_skipped", "make_mixture", "choose_integers")
        compiled += [(integer_mixture, name) for name in names]
        compiled += [(decisions, name) for name in ("cumulative", "find_rows")]
    for owner, name in compiled:
        compile_with_xla(owner, name)
    for name, function in vars(symbol_coding).copy().items():
        if isinstance(function, tf.types.experimental.GenericFunction):
            anew = tf.function(function.python_function)  # Traced already.
            monkeypatch.setattr(symbol_coding, name, anew)
    encoded = coder.encode(y, z, QUALITY)
    assert _digest(encoded) == expected
    decoded = parts.decode(coder, encoded, QUALITY)
    np.testing.assert_array_equal(decoded.y_hat, encoded.y_hat)
    assert called == {name for _, name in compiled}


_PROGRAM = """
import sys
import tensorflow as tf
tf.config.threading.set_intra_op_parallelism_threads(int(sys.argv[1]))
from tests.entropy_coding import test_exactness as t
print(t._digest_of_golden_model(sys.argv[2]))
"""


@functools.cache
def _digest_of_golden_model(folder: str) -> str:
    """A hash of the latents in the golden files, and of those latents coded again.

    The analysis before is float32 and may differ.
    """
    codec, digest = models.load(folder), hashlib.sha256()
    for name in regenerate.FILES:
        file = bitstream.unpack((Path(folder).parent / f"{name}.tfci").read_bytes())
        y_hat = codec.latents(Coded.of(file), file.height, file.width)
        _, rows, columns, _ = y_hat.shape
        z_hat = np.ones((1, rows // 4, columns // 4, Z_DEPTH), np.float32)
        coded = codec.model.encode(y_hat, z_hat, file.quality)
        digest.update(y_hat.tobytes())
        digest.update(b"".join(coded.first + coded.rest))
    return digest.hexdigest()


@pytest.mark.slow
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
    y_hat = codec.latents(Coded.of(file), file.height, file.width)
    with np.load(tiny_model.parent / f"{name}.npz") as golden:
        np.testing.assert_array_equal(y_hat, golden["y_hat"])
    assert codec.from_file(file).shape == (file.height, file.width, 3)


@pytest.mark.slow
@pytest.mark.parametrize("context", ["checkerboard", "quads"])
def test_networks_equal_a_numpy_reference(context):
    coder = _coder(context=context)
    y, z = _latents(8, 8)
    y, z = np.clip(np.floor(y + 0.5), -500, 500), np.floor(z + 0.5)
    rate = coder.rate(QUALITY[None])
    expected = reference.raw_parameters(
        coder, z[0].astype(np.int64), y[0].astype(np.int64), rate[0].numpy().astype(int)
    )
    known = estimation.KnownLatents(coder.config, tf.constant(y))
    psi = coder.run_hyper_synthesis(tf.constant(z), rate)
    passes.run_passes(context, coder.slices, psi, known)
    for number, slice_expected in enumerate(expected):
        found = {p: raw for (n, p), raw in known.parameters.items() if n == number}
        merged = passes.merge(context, [found[each] for each in sorted(found)])
        np.testing.assert_array_equal(merged[0], slice_expected)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([0.01, 0.03, 0.3, 3.0]))
def test_quantized_layers_are_exact_in_float32(seed, scale):
    random = np.random.default_rng(seed)
    kernel = random.normal(size=(64, 5)) * scale
    layer = IntegerDense(kernel, random.normal(size=5), 7, ACTIVATION_MAX, 7)
    weights, biases, shift = reference.integers(layer)
    worst = np.abs(weights).sum(0) * ACTIVATION_MAX + np.abs(biases)
    assert (worst <= SUM_MAX).all()
    x = random.integers(-ACTIVATION_MAX, ACTIVATION_MAX + 1, size=(20, 64))
    # The largest possible sums, up to 2**24, of either sign.
    x = np.concatenate([x, np.sign(weights.T), -np.sign(weights.T)])
    x[20:] *= ACTIVATION_MAX
    inputs = tf.constant(x, tf.float32)
    sums = layer.scaled_sums(inputs).numpy() * 2.0**shift
    np.testing.assert_array_equal(sums, x @ weights + biases)
    np.testing.assert_array_equal(layer(inputs), reference.dense(layer, x, False))
    activated = reference.dense(layer, x, True)
    np.testing.assert_array_equal(layer.activate(inputs), activated)


def test_weights_beyond_the_format_are_refused():
    kernel = np.full((4, 1), 1e6)
    with pytest.raises(ValueError, match="Expected weights that fit 7 to 7"):
        IntegerDense(kernel, np.zeros(1), 7, ACTIVATION_MAX, 7)
