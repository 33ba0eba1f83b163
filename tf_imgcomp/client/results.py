"""Checks of what a server returned."""

from __future__ import annotations

from collections.abc import Sequence

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
        shape: expected; None for any size.

    Raises:
        ServerError: If it is not.
    """
    found = outputs.get(name)
    fits = (
        found is not None
        and found.dtype == dtype
        and found.ndim == len(shape)
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
