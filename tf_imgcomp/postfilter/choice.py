"""Chooses the best filter for an image, or none."""

from collections.abc import Sequence
from typing import Callable

import numpy as np

from tf_imgcomp.metrics import mse


def choose(
    original: np.ndarray, decoded: np.ndarray, filters: Sequence[Callable]
) -> int:
    """Chooses the filter with the smallest squared error to the original.

    Args:
        original: uint8 `(h, w, 3)`.
        decoded: uint8 `(h, w, 3)`, decoded.
        filters: functions from uint8 `(h, w, 3)` to the same, as the decoder runs them.

    Returns:
        0 for no filter, else one plus the index of the filter. Ties go to the first.
    """
    errors = [mse(original, decoded)]
    errors += [mse(original, np.asarray(filter_(decoded))) for filter_ in filters]
    return int(np.argmin(errors))
