"""Checks of what a server returned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from tf_imgcomp.errors import ServerError


def checked(
    url: str,
    outputs: dict[str, np.ndarray],
    name: str,
    dtype: type,
    shape: Sequence[int | None],
) -> np.ndarray:
    """An output, if it is what it should be.

    Args:
        url: of the server, for the message.
        outputs: of a call.
        name: of the output.
        dtype: expected.
        shape: expected; None for any size but zero.

    Raises:
        ServerError: If it is not.
    """
    found = outputs.get(name)
    fits = (
        found is not None
        and found.dtype == dtype
        and found.ndim == len(shape)
        and found.size > 0
        and all(size in (None, given) for size, given in zip(shape, found.shape))
    )
    if not fits:
        sizes = tuple("any" if size is None else size for size in shape)
        received = "nothing" if found is None else f"{found.dtype} {found.shape}"
        raise ServerError(
            f"{url}: expected {name} {np.dtype(dtype)} {sizes}, received {received}"
        )
    assert found is not None
    return found


def string(url: str, outputs: dict[str, np.ndarray], name: str) -> bytes:
    """The string of an output that has one, if it is what it should be.

    Args, Raises:
        See `checked`.
    """
    (found,) = checked(url, outputs, name, object, (1,))
    if not isinstance(found, bytes):
        raise ServerError(f"{url}: expected {name} of bytes, received {type(found)}")
    return found


def text(url: str, outputs: dict[str, np.ndarray], name: str) -> str:
    """The same as text, for people."""
    return string(url, outputs, name).decode(errors="replace")


@contextmanager
def sense_made(url: str) -> Iterator[None]:
    """Turns any error into a ServerError: a bad answer can raise almost any error."""
    try:
        yield
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise ServerError(f"{url}: the answer makes no sense: {reason}") from error
