"""Never worse: the encoder tries every filter and keeps the best, or none."""

from collections.abc import Sequence
from typing import Callable

import numpy as np

from tf_imgcomp.metrics import mse


def choose(
    original: np.ndarray, decoded: np.ndarray, filters: Sequence[Callable]
) -> int:
    """Which filter brings a decoded image closest to its original.

    Args:
        original: uint8 `(h, w, 3)`.
        decoded: uint8 `(h, w, 3)`, what the decoder gives.
        filters: functions from uint8 `(h, w, 3)` to the same, as the decoder runs them.

    Returns:
        0 for none, else one plus the place of the filter. By the mean squared error of
        8-bit pixels; of equals, the first.
    """
    errors = [mse(original, decoded)]
    errors += [mse(original, np.asarray(filter_(decoded))) for filter_ in filters]
    return int(np.argmin(errors))
