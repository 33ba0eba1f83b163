"""Both parts of a tile's latents, decoded one after the other and measured."""

import numpy as np

from tf_imgcomp.entropy_coding.symbol_streams import TileStrings


def decode(coder, encoded, quality):
    """The `DecodedPart` of the second part, after a check of both checksums."""
    _, height, width, _ = encoded.y_hat.shape
    qualities, strings = quality[None], map(TileStrings, encoded[:2])
    psi, first = coder.decode_first(next(strings), height // 4, width // 4, qualities)
    rest = coder.decode_rest(next(strings), psi, first.y_hat, qualities)
    checksums = [*first.checksum, *rest.checksum]
    np.testing.assert_array_equal(checksums, encoded.checksums)
    assert first.valid_string_count
    assert rest.valid_string_count
    return rest


def strings(encoded) -> list:
    """The strings of both parts, bytes."""
    return [*encoded.first.numpy(), *encoded.rest.numpy()]


def size(encoded) -> int:
    """Bytes of all strings."""
    return sum(map(len, strings(encoded)))
