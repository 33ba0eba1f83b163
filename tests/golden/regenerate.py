"""Regenerates the golden files, only after a change of format that the commit explains.

    python -m tests.golden.regenerate

Writes into its own folder a tiny exported codec, its training weights, `.tfci` files
and the latents they decode to.
"""

import shutil
from pathlib import Path

import numpy as np

from tf_imgcomp import bitstream, model_folder
from tf_imgcomp.export.codec import export
from tf_imgcomp.image_codecs import models
from tf_imgcomp.training.weights import save_weights

HERE = Path(__file__).parent

# Name of a file: height, width, quality.
FILES = {"small": (40, 56, 30.0), "odd": (65, 67, 85.25), "pixel": (1, 1, 100.0)}


def image(height: int, width: int) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width]
    waves = [np.sin(rows / 5 + k) * np.cos(columns / (4 + k)) for k in range(3)]
    return (128 + 100 * np.stack(waves, axis=-1)).astype(np.uint8)


def main():
    from tests import tiny

    save_weights(tiny.random_codec(), tiny.WEIGHTS)
    shutil.rmtree(HERE / "tiny", ignore_errors=True)
    export(tiny.golden_codec(), HERE / "tiny", {"data": "random weights"})
    shutil.rmtree(HERE / "tiny" / model_folder.REFINEMENT)  # Large, and not tested.
    codec = models.load(str(HERE / "tiny"))
    for name, (height, width, quality) in FILES.items():
        coded = codec.compress(image(height, width), quality)
        file = codec.to_file(coded, height, width)
        (HERE / f"{name}.tfci").write_bytes(bitstream.pack(file))
        latents = codec.latents(coded, height, width)
        np.savez_compressed(HERE / f"{name}.npz", y_hat=latents.astype(np.int16))


if __name__ == "__main__":
    main()
