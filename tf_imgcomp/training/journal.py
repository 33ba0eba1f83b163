"""The records of a run: TensorBoard logs, lines of JSON, a plot."""

import json
import numbers
from pathlib import Path

import tensorflow as tf

from tf_imgcomp.training.progress import plot_progress


class Journal:
    """Records the losses and the validations of a run.

        logs/               TensorBoard
        training.jsonl      losses and metrics of each logged step
        validation.jsonl    figures of each validation
        progress.png        a plot of both

    Args:
        folder: folder of the run.
        plot_every: int, validations between two plots; 0 for none.
    """

    def __init__(self, folder: Path, plot_every: int = 0):
        self._folder, self._plot_every = Path(folder), plot_every
        self._folder.mkdir(parents=True, exist_ok=True)
        self._writer = tf.summary.create_file_writer(str(self._folder / "logs"))

    def training(self, step: int, figures: dict, speed: dict) -> None:
        """Records scalars of a training step; `speed` is for TensorBoard only."""
        with self._writer.as_default(step=step):
            for name, value in {**figures, **speed}.items():
                tf.summary.scalar(name, value)
        self._append("training.jsonl", {"step": step, **figures})

    def validation(self, step: int, number: int, figures: dict) -> dict:
        """Records scalars and pictures of validation `number`, counted from 1.

        Returns:
            The step and the scalars.
        """
        scalars = {"step": step}
        with self._writer.as_default(step=step):
            for name, value in figures.items():
                if isinstance(value, numbers.Real):
                    scalars[name] = value
                    tf.summary.scalar(f"validation/{name}", value)
                else:
                    tf.summary.image(f"validation/{name}", value)
        self._append("validation.jsonl", scalars)
        if self._plot_every and number % self._plot_every == 0:
            plot_progress(self._folder)
        return scalars

    def _append(self, name: str, line: dict) -> None:
        with open(self._folder / name, "a") as log:
            log.write(json.dumps(line) + "\n")
