"""A plot of a run so far: its losses and validations."""

import io
import json
import math
import re
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tf_imgcomp.atomic_files import write_atomically

_COLUMNS = 3


def plot_progress(folder: Path) -> None:
    """Draws a run's `training.jsonl` and `validation.jsonl` as `progress.png`.

    One panel shows the loss and its terms. Each kind of validation figure, such as
    `psnr`, has a panel with a line for each quality.

    Args:
        folder: of the run, where `journal.Journal` wrote.
    """
    panels = {"training": _read(folder / "training.jsonl")}
    for name, points in _read(folder / "validation.jsonl").items():
        kind = re.sub(r"_[\d.]+$", "", name)  # psnr_25 is the PSNR of quality 25.
        panels.setdefault(kind, {})[name] = points
    rows = math.ceil(len(panels) / _COLUMNS)
    figure = Figure(figsize=(5 * _COLUMNS, 3.5 * rows), layout="constrained")
    axes = figure.subplots(rows, _COLUMNS, squeeze=False).ravel()
    for panel in axes[len(panels) :]:
        panel.remove()
    for panel, (title, lines) in zip(axes, panels.items()):
        _draw(panel, title, lines)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=100)
    write_atomically(folder / "progress.png", picture.getvalue(), overwrite=True)


def _draw(panel: Axes, title: str, lines: dict[str, dict[int, float]]) -> None:
    for name, points in lines.items():
        panel.plot(*zip(*sorted(points.items())), marker=".", label=name)
    if title == "training":
        panel.set_yscale("log", nonpositive="mask")
    panel.set(title=title, xlabel="step")
    panel.grid(alpha=0.3)
    if lines:
        panel.legend(fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))


def _read(path: Path) -> dict[str, dict[int, float]]:
    """Values by step, by the name of the figure.

    A run that was killed repeats some steps when it resumes, and the later line counts.
    It may also have left half a line, which is skipped.
    """
    figures: dict[str, dict[int, float]] = {}
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            values = json.loads(line)
        except ValueError:
            continue
        step = values.pop("step")
        for name, value in values.items():
            figures.setdefault(name, {})[step] = value
    return figures
