"""The file of a model's trained weights: named arrays in half precision."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tf_imgcomp.atomic_files import open_atomically
from tf_imgcomp.errors import ModelError


def write(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Writes float16 arrays, compressed.

    High and low bytes lie apart, `(2, ...)` uint8, which takes 7 % less.
    """
    parts = {
        name: np.stack([_bytes(array)[..., byte] for byte in (1, 0)])
        for name, array in arrays.items()
    }
    with open_atomically(Path(path), overwrite=True) as file:
        np.savez_compressed(file, **parts)


def read(path: Path) -> dict[str, np.ndarray]:
    """Reads what `write` wrote, in its order; plain arrays of floats as they are.

    Raises:
        ModelError: If the file is damaged, or holds no weights.
        OSError: If it cannot be read.
    """
    data = Path(path).read_bytes()
    try:
        with np.load(io.BytesIO(data)) as arrays:
            return {name: _joined(arrays[name]) for name in arrays.files}
    except Exception as error:  # Damage surfaces as almost any of them.
        raise ModelError(f"{path} is damaged, or holds no weights") from error


def _bytes(array: np.ndarray) -> np.ndarray:
    """Low and high byte of each element, `(..., 2)`, on any machine."""
    little = np.ascontiguousarray(array).astype("<f2")
    return little.view(np.uint8).reshape(*array.shape, 2)


def _joined(parts: np.ndarray) -> np.ndarray:
    if np.issubdtype(parts.dtype, np.floating):  # Of an exported step.
        return parts
    if parts.dtype != np.uint8 or len(parts) != 2:
        raise ValueError("no bytes of float16")
    both = np.stack([parts[1], parts[0]], axis=-1)
    return both.view("<f2")[..., 0].astype(np.float16)
