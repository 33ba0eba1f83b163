"""The two parts of a tile: each has its streams, its checksum and its damage."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import tiny
from tests.entropy_coding import parts
from tf_imgcomp.entropy_coding import symbol_streams
from tf_imgcomp.entropy_coding.integer_coder import IntegerCoder
from tf_imgcomp.entropy_coding.symbol_streams import TileStrings

QUALITY = tf.constant(6000, tf.int64)
QUALITIES = QUALITY[None]
ROWS, COLUMNS = 8, 12
CODECS = {
    "checkerboard": {"optional_slice": True},
    "decisions": {"components": 3, "tied": False},
    "one slice": {"name": "cheng2020"},  # In raster order.
    "none": {"context": "none"},
    "raster": {"context": "raster"},
}
SLOW = ("decisions", "none", "raster")


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=pytest.mark.slow if name in SLOW else ())
        for name in CODECS
    ],
)
def coder(request):
    codec = tiny.random_codec(**CODECS[request.param])
    return IntegerCoder(codec.latent_coder, codec.gain)


@pytest.fixture(scope="module")
def latents(coder):
    """Latents with escapes, and hyper-latents."""
    random = np.random.default_rng(5)
    y = random.laplace(scale=3, size=(1, ROWS, COLUMNS, coder.config.latent_depth))
    y[0, 0, 0, 0], y[0, -1, -1, -1] = 3000.0, -5000.0
    shape = (1, ROWS // 4, COLUMNS // 4, coder.config.hyper_depth)
    return tf.constant(y, tf.float32), tf.random.stateless_normal(shape, [1, 2]) * 4


@pytest.fixture(scope="module")
def decode(coder):
    """A function of the strings of both parts; returns both `DecodedPart`s."""

    @tf.function(input_signature=2 * [tf.TensorSpec([None], tf.string)])
    def decode(first, rest):
        first, rest = TileStrings(first), TileStrings(rest)
        psi, part = coder.decode_first(first, ROWS // 4, COLUMNS // 4, QUALITIES)
        return part, coder.decode_rest(rest, psi, part.y_hat, QUALITIES)

    return decode


@pytest.mark.slow
@pytest.mark.parametrize("integers_per_stream", [7, 100000])
def test_both_parts_come_back(coder, latents, integers_per_stream, monkeypatch):
    monkeypatch.setattr(symbol_streams, "INTEGERS_PER_STREAM", integers_per_stream)
    encoded = coder.encode(*latents, QUALITY)
    decoded = parts.decode(coder, encoded, QUALITY)
    np.testing.assert_array_equal(decoded.y_hat, encoded.y_hat)
    assert (len(encoded.first) > 1) == (integers_per_stream < 1000)


@pytest.mark.slow
def test_the_first_part_is_z_and_the_first_slice(coder, latents):
    """It does not depend on the other slices, and tells the first one."""
    y, z = latents
    depth = coder.config.slices[0]
    base = tf.concat([y[..., :depth], 0 * y[..., depth:]], axis=-1)
    whole, part = (coder.encode(each, z, QUALITY) for each in (y, base))
    np.testing.assert_array_equal(whole.first, part.first)
    assert whole.checksums[0] == part.checksums[0]
    psi, decoded = coder.decode_first(
        TileStrings(whole.first), *z.shape[1:3], QUALITIES
    )
    z_hat, rate = tf.floor(z + 0.5), coder.rate(QUALITIES)
    np.testing.assert_array_equal(psi, coder.run_hyper_synthesis(z_hat, rate))
    assert psi.shape[-1] == coder.psi_depth
    np.testing.assert_array_equal(decoded.y_hat, whole.y_hat[..., :depth])


@pytest.mark.slow
def test_of_one_slice_the_second_part_is_empty(coder, latents):
    encoded = coder.encode(*latents, QUALITY)
    is_empty = encoded.rest.numpy().tolist() == [b""]
    assert is_empty == (len(coder.config.slices) == 1)


@pytest.fixture(scope="module")
def encoded(coder, latents):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(symbol_streams, "INTEGERS_PER_STREAM", 60)
        return coder.encode(*latents, QUALITY)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damage_is_detected_or_harmless(decode, encoded, data):
    """Flipped bits, cut strings and other strings: no error, another checksum."""
    strings = [encoded.first.numpy().tolist(), encoded.rest.numpy().tolist()]
    part = data.draw(st.sampled_from([each for each in strings if any(each)]))
    place = data.draw(st.sampled_from([i for i, each in enumerate(part) if each]))
    string = bytearray(part[place])
    position = data.draw(st.integers(0, len(string) - 1))
    if data.draw(st.booleans()):
        string[position] ^= 1 << data.draw(st.integers(0, 7))
    else:
        del string[position:]
    part[place] = bytes(string)
    decoded = decode(*map(tf.constant, strings))
    checksums = [each.checksum[0] for each in decoded]
    if np.array_equal(checksums, encoded.checksums):
        np.testing.assert_array_equal(decoded[1].y_hat, encoded.y_hat)


@pytest.mark.slow
def test_another_number_of_strings_is_detected(decode, encoded):
    first, rest = encoded.first.numpy().tolist(), encoded.rest.numpy().tolist()
    none = tf.zeros([0], tf.string)
    for other in (first[:-1], [*first, b""]):
        part, _ = decode(tf.constant(other), rest)
        assert part.checksum[0] != encoded.checksums[0]
    for other in (none, tf.fill([10000], b"")):
        part, decoded = decode(other, other)
        assert not part.valid_string_count
        assert not decoded.valid_string_count
