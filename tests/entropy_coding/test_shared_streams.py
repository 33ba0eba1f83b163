"""Tiles that share the loop over symbols are decoded as each tile alone."""

import numpy as np
import pytest
import tensorflow as tf

from tests import tiny
from tf_imgcomp.entropy_coding import standard_range_coder, symbol_streams
from tf_imgcomp.entropy_coding.integer_coder import IntegerCoder
from tf_imgcomp.entropy_coding.shared_streams import SharedReader, SharedStrings
from tf_imgcomp.entropy_coding.symbol_streams import (
    FIRST_ROWS,
    FIRST_TABLE,
    SymbolReader,
)

ROWS, COLUMNS = 8, 12
QUALITIES = tf.constant([6000, 100, 3333, 10000], tf.int64)
SCALES = (3.0, 0.1, 0.0, 40.0)  # Of the latents; few, no and many symbols.
CODECS = {
    "checkerboard": {"optional_slice": True},
    "decisions": {"components": 3, "tied": False},
    "one slice": {"name": "cheng2020"},  # In raster order.
    "raster": {"context": "raster"},
}


def tile(coder, scale, seed) -> tuple:
    """Latents, some of which have no symbol, and hyper-latents."""
    random = np.random.default_rng(seed)
    depth = coder.config.latent_depth
    y = random.laplace(scale=max(scale, 1e-9), size=(1, ROWS, COLUMNS, depth))
    y[0, 0, 0, 0], y[0, -1, -1, -1] = 900 * scale, -2000 * scale
    z = random.normal(size=(1, ROWS // 4, COLUMNS // 4, coder.config.hyper_depth))
    return tf.constant(y, tf.float32), tf.constant(z, tf.float32)


def shared(parts) -> SharedStrings:
    """The strings of some tiles, padded with one that is none of theirs."""
    counts = [len(part) for part in parts]
    rows = [[*part.numpy(), *["?"] * (9 + max(counts) - len(part))] for part in parts]
    return SharedStrings(tf.constant(rows), tf.constant(counts))


@pytest.mark.slow
@pytest.mark.parametrize("integers_per_stream", [40, 100_000])
@pytest.mark.parametrize("kind", CODECS)
def test_tiles_are_decoded_as_they_were_coded(kind, integers_per_stream, monkeypatch):
    monkeypatch.setattr(symbol_streams, "INTEGERS_PER_STREAM", integers_per_stream)
    codec = tiny.random_codec(**CODECS[kind])
    coder = IntegerCoder(codec.latent_coder, codec.gain, standard_range_coder)
    encode = tf.function(coder.encode)  # Loops of single operations take long.
    encoded = [
        encode(*tile(coder, scale, seed), quality)
        for seed, (scale, quality) in enumerate(zip(SCALES, QUALITIES))
    ]
    first, rest = (shared([each[part] for each in encoded]) for part in (0, 1))

    @tf.function
    def decode(first, rest):
        psi, part = coder.decode_first(first, ROWS // 4, COLUMNS // 4, QUALITIES)
        return part, coder.decode_rest(rest, psi, part.y_hat, QUALITIES)

    part, decoded = decode(first, rest)
    y_hat = tf.concat([each.y_hat for each in encoded], axis=0)
    np.testing.assert_array_equal(decoded.y_hat, y_hat)
    checksums = tf.stack([part.checksum, decoded.checksum], axis=1)
    np.testing.assert_array_equal(checksums, [each.checksums for each in encoded])
    assert tf.reduce_all(part.valid_string_count & decoded.valid_string_count)


@pytest.mark.slow
def test_damage_of_a_tile_leaves_the_others_as_they_are():
    codec = tiny.random_codec(optional_slice=True)
    coder = IntegerCoder(codec.latent_coder, codec.gain, standard_range_coder)
    encoded = [coder.encode(*tile(coder, 3.0, seed), QUALITIES[0]) for seed in range(3)]
    first, rest = (shared([each[part] for each in encoded]) for part in (0, 1))
    counts = [1, 10_000, 0]  # No encoder writes as many streams, or none.
    strings = [["damage", *row[1:]] for row in first.strings.numpy().tolist()]
    strings[0] = first.strings.numpy().tolist()[0]
    first = SharedStrings(tf.constant(strings), tf.constant(counts))
    qualities = tf.fill([3], QUALITIES[0])
    psi, part = coder.decode_first(first, ROWS // 4, COLUMNS // 4, qualities)
    decoded = coder.decode_rest(rest, psi, part.y_hat, qualities)
    assert part.valid_string_count.numpy().tolist() == [True, False, False]
    np.testing.assert_array_equal(decoded.y_hat[:1], encoded[0].y_hat)
    assert part.checksum[0] == encoded[0].checksums[0]


@pytest.mark.slow
def test_too_long_streams_are_not_read_to_their_end(monkeypatch):
    """All streams of a group stay in the loop until the longest one is read."""
    codec = tiny.random_codec()
    coder = IntegerCoder(codec.latent_coder, codec.gain, standard_range_coder)
    quality = QUALITIES[0]
    long = tf.function(coder.encode)(*tile(coder, 3.0, 0), quality)
    monkeypatch.setattr(symbol_streams, "INTEGERS_PER_STREAM", 40)
    good = tf.function(coder.encode)(*tile(coder, 3.0, 1), quality)
    assert len(long.first) == 1 < len(good.first)
    first = shared([long.first, good.first])
    _, part = coder.decode_first(first, ROWS // 4, COLUMNS // 4, tf.fill([2], quality))
    assert part.valid_string_count.numpy().tolist() == [False, True]
    assert not np.any(part.y_hat[0])
    np.testing.assert_array_equal(part.checksum[1], good.checksums[0])


def test_a_long_stream_does_not_make_others_long():
    strings = tf.constant([b"x" * 1001, *[b"short"] * 99])
    table = tf.constant(FIRST_TABLE, tf.int32)
    assert len(standard_range_coder.reader(table, strings).words) < 501 + 100 * 20


def test_streams_that_are_done_stand_still():
    random, kinds = np.random.default_rng(1), 40
    # The first three make an interval of 1, which becomes 2**16, the smallest.
    shares = [2, 40_000, 1, *random.integers(1, 65536, kinds - 3)]
    table = [[16, 0, share, 65536] for share in shares]
    table = tf.constant(np.concatenate([FIRST_TABLE, *table]), tf.int32)
    lengths = [0, 3000, 9, 20]
    rows = [FIRST_ROWS + random.integers(0, kinds, length) for length in lengths]
    symbols = [random.integers(0, 2, length) for length in lengths]
    rows[2][:3], symbols[2][:3] = FIRST_ROWS + np.arange(3), 0
    strings = tf.concat(
        [
            standard_range_coder.write(
                table, tf.constant([mine], tf.int32), tf.constant([what], tf.int32)
            )
            for mine, what in zip(rows, symbols)
        ],
        axis=0,
    )
    reader = SharedStrings(strings[:, None], tf.ones([4], tf.int32)).reader(
        lambda some: standard_range_coder.reader(table, some), tf.ones([4], tf.int32)
    )
    assert isinstance(reader, SharedReader)
    found, calls = [[] for _ in lengths], [0, 10, 3, 2]
    while any(map(len, rows)):
        together = np.concatenate([mine[:call] for mine, call in zip(rows, calls)])
        reader, read = reader.get(
            tf.constant(together, tf.int32), tf.repeat(tf.range(4), calls)
        )
        for mine, part in zip(found, tf.split(read, calls)):
            mine.extend(part.numpy())
        rows = [mine[call:] for mine, call in zip(rows, calls)]
        calls = [random.integers(0, len(mine), endpoint=True) for mine in rows]
    for mine, expected in zip(found, symbols):
        np.testing.assert_array_equal(mine, expected)


def test_one_tile_is_read_as_alone():
    table = tf.constant(FIRST_TABLE, tf.int32)
    rows = tf.constant([1, 2, 2, 1, 2])
    symbols = tf.constant([0, 4, 0, 1, 4000])
    strings = standard_range_coder.write(table, rows[None], symbols[None])
    alone = SymbolReader(standard_range_coder.reader(table, strings))
    together = SharedStrings(strings[None], tf.constant([1])).reader(
        lambda some: standard_range_coder.reader(table, some), tf.constant([1])
    )
    np.testing.assert_array_equal(alone.get(rows)[1], symbols)
    np.testing.assert_array_equal(together.get(rows, 0 * rows)[1], symbols)
