"""Desktops: windows with title bars, menu bars and side bars, over a background."""

import numpy as np
from PIL import Image

from tf_imgcomp.data.screens import drawing, words
from tf_imgcomp.data.screens.contents import CONTENTS
from tf_imgcomp.data.screens.drawing import Theme, mix, pick
from tf_imgcomp.data.screens.widgets import WHITE, Widgets


def desktop(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Windows over a background, with a bar and perhaps a menu, RGB."""
    theme = drawing.theme(rng)
    ui = Widgets(rng, backdrop(rng, width, height, theme), theme)
    for _ in range(rng.integers(0, 8)):
        ui.icon(int(rng.integers(4, width)), int(rng.integers(4, height)))
    for _ in range(rng.integers(1, 5)):
        window(ui, random_box(rng, width, height))
    if rng.random() < 0.5:
        menu(ui, int(rng.integers(width)), int(rng.integers(height)))
    if rng.random() < 0.6:
        task_bar(ui, (0, height - round(2.4 * ui.size), width, height))
    return ui.image


def backdrop(rng, width: int, height: int, theme: Theme) -> Image.Image:
    """One colour, a gradient, or a picture."""
    sort, greyness = rng.random(), rng.uniform(0, 0.9)
    first, second = (mix(pick(rng, theme.accents), theme.line, greyness) for _ in "ab")
    if sort < 0.4:
        return Image.new("RGB", (width, height), first)
    if sort < 0.75:
        angle = rng.uniform(0, np.pi / 2)
        return drawing.gradient(width, height, first, second, angle)
    return drawing.picture(rng, width, height)


def random_box(rng, width: int, height: int) -> tuple:
    """A random box of a window, which may extend beyond the screen."""
    across = int(rng.uniform(0.4, 1.05) * width)
    down = int(rng.uniform(0.35, 1) * height)
    left = int(rng.integers(-20, max(1, width - across + 30)))
    top = int(rng.integers(0, height - down + 30))
    return left, top, left + across, top + down


def window(ui: Widgets, box) -> None:
    """A title bar, perhaps a menu bar and a side bar, and contents."""
    rng, theme = ui.rng, ui.theme
    left, top, right, bottom = box
    edge = pick(rng, (theme.line, mix(theme.background, (0, 0, 0), 0.5)))
    ui.panel(box, theme.background, edge)
    top = title_bar(ui, (left + 1, top + 1, right - 1, top + ui.row + 5))
    if rng.random() < 0.5:
        top = menu_bar(ui, (left + 1, top, right - 1, top + ui.row))
    if rng.random() < 0.4 and bottom - top > 2 * ui.row:
        edge = left + int((right - left) * rng.uniform(0.2, 0.35))
        side_bar(ui, (left + 1, top, edge, bottom - 1 - ui.radius))
        left = edge
    width, height = right - left - 16, bottom - top - 14
    if min(width, height) > 20:
        inner = ui.inside(width, height)
        pick(rng, CONTENTS)(inner, width, height)
        ui.image.paste(inner.image, (left + 8, top + 6))


def title_bar(ui: Widgets, box) -> int:
    """A title and three buttons; returns the lower edge."""
    left, top, right, bottom = box
    colour = pick(ui.rng, (ui.theme.panel, ui.theme.accents[0]))
    ui.panel(box, ui.shaded(box, colour))
    ink = ui.ink_on(colour)
    ui.label(left + 10, top + 2, words.title(ui.rng), ink, right - 70, bold=True)
    middle, half = (top + bottom) // 2, max(4, ui.size // 2)
    for place in range(1, 4):
        x = right - place * (2 * half + 8)
        limits = (x, middle - half, x + 2 * half, middle + half)
        if ui.is_round:
            drawing.rounded_box(ui.image, limits, half, ui.theme.accents[place])
        else:
            ui.sign(place, limits, ink)
    return bottom


def menu_bar(ui: Widgets, box) -> int:
    """Names of menus; returns the lower edge."""
    left, top, right, bottom = box
    ui.draw.rectangle((left, top, right - 1, bottom - 1), ui.theme.panel)
    x = left + 10
    while x < right - 40:
        name = words.title(ui.rng, 1)
        ui.label(x, top, name, end=right)
        x += round(ui.font.getlength(name)) + 14
    ui.draw.line((left, bottom - 1, right - 1, bottom - 1), ui.theme.line)
    return bottom


def side_bar(ui: Widgets, box) -> None:
    """Entries, one of them chosen."""
    left, top, right, bottom = box
    ui.draw.rectangle((left, top, right - 1, bottom - 1), ui.theme.panel)
    chosen = int(ui.rng.integers(1, 8))
    for number, y in enumerate(range(top + 4, bottom - ui.row, ui.row)):
        if number == chosen:
            ui.panel((left + 3, y, right - 3, y + ui.row), ui.theme.accents[0])
        ink = WHITE if number == chosen else ui.theme.ink
        ui.glyph(left + 8, y + (ui.row - ui.size) // 2, ui.size)
        ui.label(left + ui.size + 16, y, words.title(ui.rng, 2), ink, right - 4)
    ui.draw.line((right - 1, top, right - 1, bottom - 1), ui.theme.line)


def menu(ui: Widgets, x: int, y: int) -> None:
    """A list of commands, on top of everything else."""
    names = [words.title(ui.rng, 3) for _ in range(ui.rng.integers(3, 10))]
    width = round(max(map(ui.font.getlength, names))) + 6 * ui.size
    box = (x, y, x + width, y + len(names) * ui.row + 8)
    ui.panel(box, ui.theme.panel, ui.theme.line)
    for number, name in enumerate(names):
        top = y + 4 + number * ui.row
        ui.label(x + 2 * ui.size, top, name)
        if ui.rng.random() < 0.2:
            ui.draw.line((x + 4, top, x + width - 5, top), ui.theme.line)
        if ui.rng.random() < 0.3:
            ui.label(x + width - 3 * ui.size, top, f"^{name[0]}", ui.theme.muted)


def task_bar(ui: Widgets, box) -> None:
    """Symbols of programs, and a clock."""
    left, top, right, bottom = box
    ui.draw.rectangle(box, ui.theme.panel)
    ui.draw.line((left, top, right, top), ui.theme.line)
    side = bottom - top - 8
    for number in range(ui.rng.integers(2, 12)):
        ui.glyph(left + 8 + number * (side + 8), top + 4, side)
    clock = f"{ui.rng.integers(24):02d}:{ui.rng.integers(60):02d}"
    ui.label(right - 5 * ui.size, top + 3, clock)
