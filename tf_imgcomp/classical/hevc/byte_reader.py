"""Reads the bytes of a file from front to back, and BPG's ue7 integers.

A ue7 integer has 7 bits in each byte, the most significant first. Bit 7 is set in all
bytes but the last.
"""

from __future__ import annotations

from tf_imgcomp.errors import ClassicalCodecError

_MAX_BYTES = 5  # Of a ue7 integer below 2^32.


def ue7(value: int) -> bytes:
    """Codes an integer >= 0 in the fewest bytes."""
    groups = [value & 127]
    while value := value >> 7:
        groups.append(value & 127 | 128)
    return bytes(reversed(groups))


class ByteReader:
    """Reads bytes from front to back."""

    def __init__(self, data: bytes):
        self._data = memoryview(data)

    def __len__(self) -> int:
        """Returns the number of bytes not yet read."""
        return len(self._data)

    def take(self, length: int) -> bytes:
        """Returns the next bytes.

        Raises:
            ClassicalCodecError: If there are fewer.
        """
        if length > len(self):
            raise ClassicalCodecError(
                f"cut short: expected {length} more bytes, received {len(self)}"
            )
        taken, self._data = self._data[:length], self._data[length:]
        return bytes(taken)

    def ue7(self) -> int:
        """Reads an integer.

        Raises:
            ClassicalCodecError: If it is cut short, above 32 bits, or in a longer
                form than the shortest.
        """
        value = 0
        for i in range(_MAX_BYTES):
            byte = self.take(1)[0]
            if i == 0 and byte == 128:
                break
            value = value << 7 | byte & 127
            if byte < 128 and value < 1 << 32:
                return value
        raise ClassicalCodecError("damaged: an integer is too long")
