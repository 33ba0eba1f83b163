"""What the benchmarks share: timing in turns, and a codec from its training weights."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf

from tf_imgcomp.codecs.base import Codec
from tf_imgcomp.codecs.registry import CODECS

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "kitten.png"


def median_seconds(functions: dict[str, Callable], runs: int) -> dict[str, float]:
    """Median wall time of each function.

    They run in turns, so that other load on the machine meets all alike: ratios of the
    results say more than the results.
    """
    seconds = {name: [] for name in functions}
    for function in functions.values():
        function()  # The first call traces and allocates.
    for _ in range(runs):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            seconds[name].append(time.perf_counter() - start)
    return {name: float(np.median(times)) for name, times in seconds.items()}


def new_codec(name: str, sizes: str = "{}") -> Codec:
    """An untrained codec, built; `sizes` are fields of its config as JSON."""
    codec_class, config_class = CODECS[name]
    codec = codec_class(config_class.from_dict(json.loads(sizes)))
    codec(tf.zeros((1, 64, 64, 3)), tf.constant([50.0]))
    return codec
