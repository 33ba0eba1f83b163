"""The bytes of one part of a tile: one form only."""

import pytest

from tf_imgcomp.errors import BitstreamError
from tf_imgcomp.image_codecs import tile_parts


@pytest.mark.parametrize(
    "strings", [[b""], [b"abc"], [b"", b"x"], [b"x" * 200, b"", b"yz"], [b"1"] * 300]
)
def test_streams_come_back(strings):
    for checksum in (0, 1, 0xFFFF):
        data = tile_parts.pack(checksum, strings)
        assert tile_parts.unpack(data) == (checksum, strings)


def test_short_bytes_are_refused():
    data = tile_parts.pack(5, [b"x" * 9, b"yz"])
    for size in range(len(data) - 2):
        with pytest.raises(BitstreamError, match="cut|invalid"):
            tile_parts.unpack(data[:size])


def test_numbers_are_checked_before_they_are_used():
    with pytest.raises(BitstreamError, match="invalid: 128 streams in 2 bytes"):
        tile_parts.unpack(b"\0\0\x7fab")
    with pytest.raises(BitstreamError, match="leading zero"):
        tile_parts.unpack(b"\0\0\x81\0ab")
