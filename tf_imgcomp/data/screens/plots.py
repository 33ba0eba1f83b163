"""Figures by Matplotlib: lines, points, bars, heat maps and histograms."""

import matplotlib
import numpy as np
from matplotlib import style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from tf_imgcomp.data.screens import drawing, words

STYLES = (
    "default",
    "default",
    "classic",
    "ggplot",
    "bmh",
    "fivethirtyeight",
    "dark_background",
    "grayscale",
    "Solarize_Light2",
    "seaborn-v0_8-whitegrid",
    "seaborn-v0_8-darkgrid",
    "seaborn-v0_8-ticks",
    "tableau-colorblind10",
)
FONTS = ("DejaVu Sans", "DejaVu Sans", "DejaVu Serif", "STIXGeneral")
MAPS = ("viridis", "plasma", "gray", "coolwarm", "jet", "Blues", "tab20", "YlOrRd")
MARKERS = ("o", "s", "^", "x", "+", ".", "D", "")
LINES = ("-", "-", "--", ":", "-.")


def figure(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """A figure of one to six plots, RGB.

    It changes Matplotlib's global options while it draws: one thread at a time.
    """
    with style.context(drawing.pick(rng, STYLES), after_reset=True):
        dpi = float(rng.integers(70, 150))
        matplotlib.rcParams["font.family"] = drawing.pick(rng, FONTS)
        # A little larger, because Matplotlib rounds down to pixels.
        canvas = FigureCanvasAgg(
            Figure(((width + 0.1) / dpi, (height + 0.1) / dpi), dpi)
        )
        room = max(1, min(width, height) // 160)
        rows = int(rng.integers(1, 1 + min(3, room)))
        columns = int(rng.integers(1, 1 + min(2, room)))
        matplotlib.rcParams["font.size"] = (
            rng.uniform(7, 13) / max(rows, columns) ** 0.4
        )
        for axes in canvas.figure.subplots(rows, columns, squeeze=False).flat:
            plot(rng, axes)
        canvas.figure.subplots_adjust(
            left=0.12, right=0.96, bottom=0.1, top=0.93, hspace=0.5, wspace=0.3
        )
        canvas.draw()
        return Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy())


def plot(rng, axes) -> None:
    """Draws one plot with its labels."""
    drawing.pick(rng, (lines, lines, scatter, bars, heat_map, histogram, stack))(
        rng, axes
    )
    if rng.random() < 0.7:
        axes.set_title(words.title(rng))
    if rng.random() < 0.7:
        axes.set_xlabel(words.title(rng, 2))
        axes.set_ylabel(words.title(rng, 2))
    if axes.get_legend_handles_labels()[0] and rng.random() < 0.7:
        corner = ("upper left", "upper right", "lower left", "lower right")
        axes.legend(loc=drawing.pick(rng, corner))


def lines(rng, axes) -> None:
    count = int(rng.integers(5, 200))
    x = np.linspace(0, rng.uniform(1, 100), count)
    for _ in range(rng.integers(1, 7)):
        walk = np.cumsum(rng.normal(0.1, 1, count))
        wave = np.sin(x / x[-1] * rng.uniform(3, 30)) * rng.uniform(0, 8)
        y = drawing.pick(rng, (walk, wave, walk + wave))
        axes.plot(
            x,
            y,
            drawing.pick(rng, LINES),
            marker=drawing.pick(rng, MARKERS) if count < 30 else "",
            linewidth=rng.uniform(0.7, 3),
            label=words.title(rng, 1),
        )
        if rng.random() < 0.15:
            axes.fill_between(x, y - 1, y + 1, alpha=0.3)
    if rng.random() < 0.5:
        axes.grid(True, linestyle=drawing.pick(rng, LINES), linewidth=0.6)


def scatter(rng, axes) -> None:
    for _ in range(rng.integers(1, 5)):
        count = int(rng.integers(10, 300))
        x, y = rng.normal(rng.normal(0, 2, (2, 1)), rng.uniform(0.3, 1.5), (2, count))
        size, alpha = rng.uniform(4, 60), rng.choice([1, 1, 0.5])
        axes.scatter(x, y, size, alpha=alpha, label=words.title(rng, 1))
    axes.grid(rng.random() < 0.5)


def bars(rng, axes) -> None:
    count, groups = int(rng.integers(3, 12)), int(rng.integers(1, 4))
    places, share = np.arange(count), 0.8 / groups
    draw = axes.barh if rng.random() < 0.3 else axes.bar
    edge = drawing.pick(rng, ("none", "black"))
    for group in range(groups):
        values = rng.gamma(3, 10, count)
        shifted = places + group * share
        draw(shifted, values, share, edgecolor=edge, label=words.title(rng, 1))


def heat_map(rng, axes) -> None:
    rows, columns = (int(side) for side in rng.integers(4, 40, 2))
    values = rng.random((rows, columns))
    if rng.random() < 0.5:
        values = drawing.smooth_noise(rng, columns, rows)
    shown = axes.imshow(
        values,
        drawing.pick(rng, MAPS),
        aspect="auto",
        interpolation=drawing.pick(rng, ("nearest", "nearest", "bilinear")),
    )
    axes.grid(False)
    axes.figure.colorbar(shown, ax=axes)
    if rows * columns < 80:
        for (row, column), value in np.ndenumerate(values):
            text = f"{value:.2f}"
            axes.text(column, row, text, ha="center", va="center", fontsize=7)


def histogram(rng, axes) -> None:
    bins = int(rng.integers(8, 60))
    for _ in range(rng.integers(1, 4)):
        values = rng.normal(rng.normal(0, 2), rng.uniform(0.5, 2), 1000)
        sort = drawing.pick(rng, ("bar", "bar", "step"))
        axes.hist(values, bins, histtype=sort, alpha=0.7, label=words.title(rng, 1))


def stack(rng, axes) -> None:
    layers = rng.gamma(3, 1, (int(rng.integers(2, 6)), 20))
    names = [words.title(rng, 2) for _ in layers]
    axes.stackplot(np.arange(20), layers, labels=names)
