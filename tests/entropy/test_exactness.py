"""The same bytes and the same latents, however they are computed."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import tiny
from tests.entropy import reference
from tests.golden import regenerate
from tf_imgcomp import bitstream
from tf_imgcomp.entropy import (
    coding,
    frequencies,
    integer_mixture,
    passes,
)
from tf_imgcomp.entropy.fixed_point import ACTIVATION_MAX, SUM_MAX, IntegerDense
from tf_imgcomp.entropy.integer_coder import IntegerCoder
from tf_imgcomp.entropy.tables import Tables
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
    {"context": context, "components": components, "tied": tied}
    for context in ("none", "checkerboard")
    for components, tied in ((1, True), (2, True), (1, False), (2, False), (3, False))
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
    # Chosen integers are the nearest ones or next to them.
    assert np.max(np.abs(encoded.y_hat - y)) <= 1.5


def test_eager_and_function_give_the_same_bytes():
    coder = _coder()
    y, z = _latents()
    eager = _digest(coder.encode(y, z, QUALITY))
    assert _digest(tf.function(coder.encode)(y, z, QUALITY)) == eager


class _CompiledElements:
    """`coding.Elements`, each of whose answers XLA computes."""

    def __init__(self, rows, parameters):
        make, self._known = type(rows).elements, (rows, parameters)
        self._encoding = _compiled(lambda r, p, y: make(r, p).encoding(y))
        self._decoding = _compiled(lambda r, p: make(r, p).decoding())

    def encoding(self, y):
        return self._encoding(*self._known, y)

    def decoding(self):
        return self._decoding(*self._known)


def _compiled(function):
    return tf.function(function, jit_compile=True)


class _CompiledRows(NamedTuple):
    """`coding.Rows`, computed by XLA."""

    rows: tuple

    def are_zero(self, parameters):
        return _compiled(type(self.rows).are_zero)(self.rows, parameters)

    def elements(self, parameters):
        return _CompiledElements(self.rows, parameters)


def test_xla_gives_the_same_bytes(monkeypatch):
    """Networks and rows compiled by XLA; selecting elements is not for XLA."""
    y, z = _latents()
    expected = _digest(_coder().encode(y, z, QUALITY))
    coder = _coder()
    names = ("embed", "channel_context", "context_prediction", "parameters")
    for networks in coder.slices:
        for name in names:
            monkeypatch.setattr(networks, name, _compiled(getattr(networks, name)))
    monkeypatch.setattr(coder, "describe", _compiled(coder.describe))
    rows = _CompiledRows(coder.rows())
    monkeypatch.setattr(coder, "rows", lambda: rows)
    encoded = coder.encode(y, z, QUALITY)
    assert _digest(encoded) == expected
    decoded = coder.decode(encoded.strings, *z.shape[1:3], QUALITY)
    assert decoded.sound
    np.testing.assert_array_equal(decoded.y_hat, encoded.y_hat)


def test_xla_makes_the_same_rows(monkeypatch):
    """The same of mixtures that are not tied, whose rows have sizes XLA cannot know."""
    y, z = _latents()
    expected = _digest(_coder(tied=False).encode(y, z, QUALITY))
    coder, called = _coder(tied=False), set()

    def compile_with_xla(owner, name):
        compiled = _compiled(getattr(owner, name))

        def call(*arguments):
            called.add(name)
            return compiled(*arguments)

        monkeypatch.setattr(owner, name, call)

    parts = (
        (integer_mixture, "are_zero"),
        (integer_mixture, "make_mixture"),
        (integer_mixture, "choose_integers"),
        (frequencies, "one_symbol"),
        (frequencies, "all_symbols"),
    )
    for owner, name in parts:
        compile_with_xla(owner, name)
    for name in ("encode", "decode"):  # Made anew, of the compiled parts.
        function = getattr(coding, name).python_function
        monkeypatch.setattr(coding, name, tf.function(function))
    encoded = coder.encode(y, z, QUALITY)
    assert _digest(encoded) == expected
    decoded = coder.decode(encoded.strings, *z.shape[1:3], QUALITY)
    assert decoded.sound
    np.testing.assert_array_equal(decoded.y_hat, encoded.y_hat)
    assert called == {name for _, name in parts}


_PROGRAM = """
import sys
import tensorflow as tf
tf.config.threading.set_intra_op_parallelism_threads(int(sys.argv[1]))
from tests.entropy import test_exactness as t
print(t._digest_of_golden_model(sys.argv[2]))
"""


def _digest_of_golden_model(folder: str) -> str:
    """What the golden model makes of an image, and the coder of latents, in one hash.

    An image's latents are floats and differ in the last bits from machine to machine.
    The bytes follow only where one lies that close to a tie; in this image none does.
    """
    codec = models.load(folder)
    coded = codec.compress(regenerate.image(100, 130), 60.0)
    digest = hashlib.sha256(b"".join(coded.strings))
    y_hat = codec.latents(coded.strings, 100, 130, 60.0)
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
    rate = coder._rate(QUALITY)
    expected = reference.raw_parameters(
        coder, z[0].astype(np.int64), y[0].astype(np.int64), rate[0].numpy().astype(int)
    )
    parts = tf.split(tf.constant(y), coder.config.slices, axis=-1)
    raw = {}

    def code(number, colour, parameters):
        raw[number, colour] = parameters
        return checkerboard.split(parts[number])[colour]

    psi = coder.describe(tf.constant(z), rate)
    passes.run_passes("checkerboard", coder.slices, psi, code)
    for number, slice_expected in enumerate(expected):
        merged = checkerboard.merge(raw[number, 0], raw[number, 1])
        np.testing.assert_array_equal(merged[0], slice_expected)


integers = st.integers(-20000, 20000)
any_components = st.lists(
    st.tuples(integers, integers, integers), min_size=1, max_size=3
)
small_scales = st.integers(-4096, -1500)
any_half_width = st.sampled_from(frequencies.HALF_WIDTHS)


def _mixture(components):
    """The sampled functions, and one element's mixture."""
    functions = Tables().read()
    columns = (tf.constant(c, tf.float32)[:, None] for c in zip(*components))
    return functions, integer_mixture.make_mixture(functions, *columns)


@settings(max_examples=60, deadline=None)
@given(any_components, any_half_width)
def test_rows_equal_a_numpy_reference_and_increase(components, half_width):
    functions, mixture = _mixture(components)
    row = frequencies.all_symbols(functions, mixture, half_width)[0].numpy()
    centre, expected = reference.cdf_row(Tables(), *zip(*components), half_width)
    assert mixture.centre[0] == centre
    np.testing.assert_array_equal(row, expected)
    assert row[1] == 0
    assert row[-1] == 2**16
    assert (np.diff(row[1:]) > 0).all()


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(-9000, 0), st.integers(-1500, 1500), small_scales),
        min_size=1,
        max_size=3,
    )
)
def test_certain_zeros_are_nearly_certain(components):
    functions = Tables().read()
    columns = [tf.constant(c, tf.float32)[:, None] for c in zip(*components)]
    if integer_mixture.are_zero(functions, *columns)[0]:
        mixture = integer_mixture.make_mixture(functions, *columns)
        assert mixture.centre[0] == 0
        below, above = (
            integer_mixture.cumulative(functions, mixture, tf.constant(e, tf.float64))
            for e in (-1, 0)
        )
        share = float((above - below)[0]) / 2**integer_mixture.ONE_BITS
        assert 1 - share < len(components) * 2**-integer_mixture.CERTAIN_BITS


def _coded(row, symbol: int) -> tuple:
    """What the range coder makes of a symbol: an interval, and how far it escaped."""
    escape = len(row) - 3
    escaped = min(symbol, 0) + max(symbol - escape, 0)
    index = symbol if 0 <= symbol < escape else escape
    return row[1 + index], row[2 + index], escaped


@settings(max_examples=60, deadline=None)
@given(any_components, any_half_width)
def test_one_symbol_is_coded_as_among_all(components, half_width):
    functions, mixture = _mixture(components)
    all_symbols = frequencies.all_symbols(functions, mixture, half_width)[0].numpy()
    offsets = np.arange(-half_width - 3, half_width + 5)
    copies = mixture.select(np.zeros_like(offsets))
    half_widths = tf.fill(offsets.shape, tf.constant(half_width, tf.float64))
    y = copies.centre + offsets
    intervals = integer_mixture.choose_integers(functions, copies, half_widths, y)
    assert (abs(intervals.offsets - offsets) <= 1).numpy().all()
    rows, symbols = frequencies.one_symbol(intervals, half_widths)
    for offset, row, symbol in zip(intervals.offsets, rows.numpy(), symbols.numpy()):
        assert (np.diff(row[1:]) > 0).all()
        assert _coded(row, symbol) == _coded(all_symbols, int(offset) + half_width)


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
    # The largest sums there are, up to 2**24, of either sign.
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
