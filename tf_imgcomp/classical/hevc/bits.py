"""Bits of HEVC's headers: fixed-length and Exp-Golomb integers (ITU-T H.265, 9.2)."""

from __future__ import annotations

from tf_imgcomp.errors import ClassicalCodecError

_MAX_ZEROS = 31  # Leading zeros of an Exp-Golomb integer below 2^32 - 1.


class BitWriter:
    """Collects bits, the first one in the highest bit of the first byte."""

    def __init__(self) -> None:
        self._bits = ""

    def put(self, length: int, value: int) -> None:
        """Appends an integer of a fixed length in bits: u(n)."""
        assert 0 <= value < 1 << length
        self._bits += f"{value:0{length}b}"

    def put_ue(self, value: int) -> None:
        """Appends an Exp-Golomb integer: ue(v)."""
        self.put(2 * (value + 1).bit_length() - 1, value + 1)

    def to_bytes(self) -> bytes:
        """Returns the bits, zero-padded to whole bytes."""
        length = -(-len(self._bits) // 8)
        return int(self._bits.ljust(8 * length, "0"), 2).to_bytes(length, "big")


class BitReader:
    """Reads bits from front to back.

    Its methods raise a ClassicalCodecError if the bits end too early.
    """

    def __init__(self, data: bytes):
        self._data = data
        self._position = 0

    def get(self, length: int = 1) -> int:
        """Reads an integer of a fixed length in bits: u(n)."""
        start, self._position = self._position, self._position + length
        if self._position > 8 * len(self._data):
            raise ClassicalCodecError("damaged: an HEVC header is cut short")
        last = -(-self._position // 8)
        value = int.from_bytes(self._data[start // 8 : last], "big")
        return value >> (8 * last - self._position) & (1 << length) - 1

    def get_ue(self) -> int:
        """Reads an Exp-Golomb integer: ue(v)."""
        zeros = 0
        while not self.get():
            zeros += 1
            if zeros > _MAX_ZEROS:
                raise ClassicalCodecError(
                    "damaged: an integer in an HEVC header is too long"
                )
        return (1 << zeros) - 1 + self.get(zeros)
