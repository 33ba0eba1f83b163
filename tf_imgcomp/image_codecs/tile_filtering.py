"""The SavedModel of a post-filter: pixels of one tile, filtered."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tf_imgcomp.model_folder import ExportedModel, memory_errors
from tf_imgcomp.postfilter.ensembles import signature


class SavedFilter(ExportedModel):
    """An exported post-filter; TensorFlow is imported when one is made.

    Args:
        folder: a folder that `export.postfilter.export` wrote.

    Raises:
        ModelError: If the folder does not hold an intact filter.
    """

    # What TensorFlow adds at the first tile, by benchmarks/memory.py: for the ensemble
    # of eight, which a file may name. One result takes half of it.
    encoder_base = decoder_base = 110e6

    def __init__(self, folder: Path):
        super().__init__(folder)
        self._model = self.load()

    def __call__(
        self, pixels: np.ndarray, setting: float, ensemble: str = "none"
    ) -> np.ndarray:
        """Filters a tile with its surroundings.

        Args:
            pixels: uint8 `(h, w, 3)`, decoded.
            setting: of the codec, such as a QP.
            ensemble: key of `ENSEMBLES`.
        """
        filter_ = getattr(self._model, signature(ensemble))
        with memory_errors():
            return filter_(image=pixels, qp=setting)["image"].numpy()
