"""Reads the bytes of a file from front to back, and integers of 7 bits a byte.

A ue7 integer, as BPG has it: the highest bits first, 7 in a byte, whose own highest bit
says that another one follows.
"""

from __future__ import annotations

from tf_imgcomp.errors import ClassicalCodecError

_MAX_BYTES = 5  # Of a ue7 integer below 2^32.


def ue7(value: int) -> bytes:
    """Returns the shortest bytes of an integer >= 0."""
    groups = [value & 127]
    while value := value >> 7:
        groups.append(value & 127 | 128)
    return bytes(reversed(groups))


class ByteReader:
    """A position in bytes, which moves on with everything read."""

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
                f"cut short: {length} bytes should follow, {len(self)} do"
            )
        taken, self._data = self._data[:length], self._data[length:]
        return bytes(taken)

    def ue7(self) -> int:
        """Reads an integer.

        Raises:
            ClassicalCodecError: If it is cut short, above 32 bits, or longer than
                needed.
        """
        value = 0
        for i in range(_MAX_BYTES):
            byte = self.take(1)[0]
            if i == 0 and byte == 128:
                break
            value = value << 7 | byte & 127
            if byte < 128 and value < 1 << 32:
                return value
        raise ClassicalCodecError("damaged: an integer is not written as it must be")
