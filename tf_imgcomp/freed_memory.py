"""Gives memory that was freed back to the system."""

import contextlib
import ctypes


def give_back() -> None:
    """Lets the process shrink to what it uses, where the C library can (glibc).

    TensorFlow's tensors leave some 100 MB of freed memory behind. It takes some 50 ms,
    and what is computed next has to get the memory again: for large images only.
    """
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
