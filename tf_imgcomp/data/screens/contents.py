"""Contents of windows. Each function fills an empty image."""

from tf_imgcomp.data.screens import drawing, text, words
from tf_imgcomp.data.screens.drawing import pick
from tf_imgcomp.data.screens.widgets import Widgets


def form(ui: Widgets, width: int, height: int) -> None:
    """Labels with fields, check boxes, sliders, and buttons below."""
    column = int(width * ui.rng.uniform(0.2, 0.4))
    controls = (ui.field, ui.field, ui.tick, ui.slider, ui.progress)
    y = 2
    while y < height - 2 * ui.row:
        ui.label(0, y, words.title(ui.rng, 3), end=column - 6)
        pick(ui.rng, controls)((column, y + 1, width, y + ui.row - 1))
        y += ui.row + int(ui.rng.integers(2, 10))
    x = width
    for _ in range(ui.rng.integers(1, 4)):
        x = ui.button(x, height - ui.row - 2) - 8


def items(ui: Widgets, width: int, height: int) -> None:
    """Rows with a symbol, a name and a number."""
    lined, chosen = ui.rng.random() < 0.5, int(ui.rng.integers(0, 10))
    for number, y in enumerate(range(0, height, ui.row)):
        last = y + ui.row - 1
        if number == chosen:
            ui.draw.rectangle((0, y, width, last), ui.theme.panel)
        ui.glyph(4, y + (ui.row - ui.size) // 2, ui.size)
        value = words.number(ui.rng)
        x = width - 6 - round(ui.font.getlength(value))
        ui.label(ui.size + 12, y, words.title(ui.rng), end=x - 8)
        ui.label(x, y, value, ui.theme.muted)
        if lined:
            ui.draw.line((0, last, width, last), ui.theme.line)


def icons(ui: Widgets, width: int, height: int) -> None:
    """A grid of symbols with names."""
    side = int(ui.rng.choice([16, 24, 32, 48, 64]))
    across = side + 3 * ui.size
    for y in range(6, height, side + ui.row + 6):
        for x in range(6, width, across):
            ui.glyph(x + ui.size, y, side)
            ui.label(x, y + side, words.title(ui.rng, 1), end=x + across - 2)


def cards(ui: Widgets, width: int, height: int) -> None:
    """Panels in a grid, each with a picture or a colour, a name and a line of text."""
    across, down = (int(side) for side in ui.rng.integers(110, 220, 2))
    inner = (across - 8, down - 2 * ui.row - 8)
    for y in range(0, height, down + 8):
        for x in range(0, width, across + 8):
            ui.panel((x, y, x + across, y + down), ui.theme.panel, ui.theme.line)
            shown = pick(ui.rng, ui.theme.accents)
            if ui.rng.random() < 0.5 and min(inner) > 2:
                shown = drawing.picture(ui.rng, *inner)
            lower, end = y + 4 + inner[1], x + across - 4
            ui.panel((x + 4, y + 4, end, lower), shown)
            ui.label(x + 6, lower, words.title(ui.rng), end=end, bold=True)
            line, y_line = words.title(ui.rng, 6), lower + ui.row - 4
            ui.label(x + 6, y_line, line, ui.theme.muted, end)


def picture(ui: Widgets, width: int, height: int) -> None:
    ui.image.paste(drawing.picture(ui.rng, width, height))


def page(ui: Widgets, width: int, height: int) -> None:
    """Text, a program or a table."""
    sort = pick(ui.rng, (text.article, text.program, text.table))
    sort(ui.rng, ui.draw, (0, 0, width, height), ui.theme)


CONTENTS = (form, form, items, icons, cards, page, page, picture)
