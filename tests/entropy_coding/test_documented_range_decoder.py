"""The range decoder of docs/file_format.md reads what the library writes."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_compression as tfc

END = 1 << 16


def decode(stream, rows):
    """Symbols of a stream, one for each row of cumulative frequencies."""
    padded = stream + bytes(4 + 2 * len(rows))
    words = (int.from_bytes(padded[i : i + 2], "big") for i in range(0, len(padded), 2))
    offset, size, symbols = next(words) << 16 | next(words), 1 << 32, []
    for row in rows:
        target = ((offset << 16) + 65535) // size
        symbol = max(s for s, low in enumerate(row[:-1]) if low <= target)
        low, high = (size * row[symbol + k] >> 16 for k in (0, 1))
        offset, size = offset - low, high - low
        if size <= END:
            offset, size = offset << 16 | next(words), size << 16
        symbols.append(symbol)
    return symbols


def random_rows(random):
    """Rows of 2 to 40 symbols, some of them hardly ever there."""
    rows = []
    for count in (2, 3, 7, 40):
        edges = random.choice(np.arange(1, END), count - 1, replace=False)
        rows.append([0, *sorted(edges.tolist()), END])
    return [*rows, [0, 1, END], [0, END - 1, END], [0, END - 2, END - 1, END]]


@pytest.mark.parametrize("seed", range(5))
def test_it_reads_what_the_library_writes(seed):
    random = np.random.default_rng(seed)
    rows = random_rows(random)
    numbers = random.integers(len(rows), size=3000)
    symbols = [int(random.integers(len(rows[number]) - 1)) for number in numbers]
    table = np.concatenate([[16, *row] for row in rows]).astype(np.int32)
    coder = tfc.create_range_encoder([], table)
    coder = tfc.entropy_encode_index(
        coder, tf.constant(numbers, tf.int32), tf.constant(symbols, tf.int32)
    )
    stream = tfc.entropy_encode_finalize(coder).numpy()
    assert decode(stream, [rows[number] for number in numbers]) == symbols


def test_the_end_of_a_stream_is_as_good_as_zeros():
    row = [0, END - 1, END]
    assert decode(b"", [row] * 5000) == [0] * 5000
