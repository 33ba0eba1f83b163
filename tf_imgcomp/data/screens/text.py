"""Pages of text: articles, programs, tables and terminals."""

import numpy as np
from PIL import ImageDraw

from tf_imgcomp.data.screens import drawing, words
from tf_imgcomp.data.screens.drawing import BOLD, ITALIC, REGULAR, Theme

KEYWORDS = "def class if else elif for while return import from in not with as".split()


def page(rng: np.random.Generator, width: int, height: int):
    """A page of a random sort, RGB."""
    theme = drawing.theme(rng)
    image, draw = drawing.canvas(width, height, theme.background)
    sort = drawing.pick(rng, (article, article, program, table, terminal))
    sort(rng, draw, (0, 0, width, height), theme)
    return image


def article(rng, draw: ImageDraw.ImageDraw, box, theme: Theme) -> None:
    """Headings and paragraphs in one to three columns."""
    left, top, right, bottom = box
    family = drawing.random_family(rng)
    size = int(rng.choice([9, 10, 11, 12, 13, 14, 16, 18, 20, 24, 30, 40]))
    margin = int(rng.integers(4, 40))
    count = int(rng.integers(1, 1 + max(1, min(3, (right - left) // (20 * size)))))
    step = (right - left - margin) // count
    for column in range(count):
        start = left + margin + column * step
        limits = (start, top + margin, start + step - margin, bottom)
        fill_column(rng, draw, limits, theme, family, size)


def fill_column(rng, draw, box, theme: Theme, family: str, size: int) -> None:
    """Paragraphs, some of them headings, quotations or items of a list."""
    left, y, right, bottom = box
    spacing = rng.uniform(1.15, 1.7)
    while y < bottom:
        sort = rng.choice(
            ["text", "heading", "item", "quote"], p=[0.6, 0.15, 0.15, 0.1]
        )
        if sort == "heading":
            large = drawing.font(family, int(size * rng.uniform(1.2, 2)), BOLD)
            colour = drawing.pick(rng, (theme.ink, theme.accents[0]))
            y = paragraph(draw, (left, y, right), words.title(rng, 7), large, colour)
        elif sort == "item":
            for _ in range(rng.integers(2, 6)):
                line = f"{rng.choice(['-', '*', '+'])} {words.title(rng, 9)}"
                face = drawing.font(family, size)
                limits = (left + size, y, right)
                y = paragraph(draw, limits, line, face, theme.ink, spacing)
        else:
            face = drawing.font(family, size, ITALIC if sort == "quote" else REGULAR)
            text = " ".join(words.sentence(rng) for _ in range(rng.integers(1, 8)))
            colour = theme.muted if sort == "quote" else theme.ink
            y = paragraph(draw, (left, y, right), text, face, colour, spacing)
        y += int(size * rng.uniform(0.3, 1.2))


def paragraph(draw, box, text: str, face, colour, spacing: float = 1.25) -> int:
    """Sets words in lines between two sides; returns the top of the next line."""
    left, y, right = box
    # Computer Modern has no glyph for a space.
    x, space = left, max(2, round(face.size * 0.3))
    for word in text.split():
        length = draw.textlength(word, face)
        if x > left and x + length > right:
            x, y = left, y + round(face.size * spacing)
        draw.text((x, y), word, colour, face)
        x += round(length) + space
    return y + round(face.size * spacing)


def program(rng, draw, box, theme: Theme) -> None:
    """Lines of code with a colour for each kind of token."""
    left, top, right, bottom = box
    size = int(rng.integers(9, 25))
    face = drawing.font(drawing.random_family(rng, "mono", "mono", "modern_mono"), size)
    advance, line_height = face.getlength("m"), round(size * rng.uniform(1.15, 1.6))
    numbered = rng.random() < 0.6
    gutter = left + (round(4.5 * advance) if numbered else round(advance))
    if numbered and rng.random() < 0.5:
        draw.rectangle((left, top, gutter - round(advance / 2), bottom), theme.panel)
    current = int(rng.integers(30))
    depth = 0
    for row, y in enumerate(range(top + 4, bottom, line_height)):
        if row == current:
            limits = (gutter, y - 1, right, y + line_height - 2)
            draw.rectangle(limits, theme.panel)
        if numbered:
            line = str(row + 1).rjust(3)
            draw.text((left + round(advance / 2), y), line, theme.muted, face)
        x = gutter + round(4 * depth * advance)
        tokens = code_line(rng, theme)
        for token, colour in tokens:
            draw.text((x, y), token, colour, face)
            x += round((len(token) + 1) * advance)
        opened = bool(tokens) and tokens[-1][0].endswith(":")
        depth = min(5, depth + 1) if opened else max(0, depth - int(rng.random() < 0.3))


def code_line(rng, theme: Theme) -> list:
    """Tokens of a line and their colours."""
    sort, accents = rng.random(), theme.accents
    name = words.identifier
    if sort < 0.12:
        return []
    if sort < 0.25:
        return [(f"# {words.sentence(rng)}", theme.muted)]
    if sort < 0.5:
        keyword = (str(rng.choice(KEYWORDS)), accents[0])
        return [keyword, (f"{name(rng)}({name(rng)}):", theme.ink)]
    value = (
        (words.number(rng), accents[1])
        if rng.random() < 0.5
        else (f'"{words.title(rng)}"', accents[2])
    )
    if sort < 0.75:
        return [(name(rng), theme.ink), ("=", accents[3]), value]
    call = (f"{name(rng)}.{name(rng)}(", accents[4])
    return [call, (f"{name(rng)},", theme.ink), value, (")", theme.ink)]


def table(rng, draw, box, theme: Theme) -> None:
    """Rows of names and numbers, with lines, stripes or neither."""
    left, top, right, bottom = box
    size = int(rng.integers(9, 22))
    family = drawing.random_family(rng, "sans", "serif", "mono", "stix", "modern_sans")
    face, bold = drawing.font(family, size), drawing.font(family, size, BOLD)
    row_height = round(size * rng.uniform(1.3, 2.4))
    columns = max(1, (right - left) // int(size * rng.uniform(5, 10)))
    edges = [left + (right - left) * i // columns for i in range(columns + 1)]
    stripes, horizontal, vertical = rng.random(3) < 0.5
    header = drawing.pick(rng, (theme.accents[0], theme.panel, theme.background))
    for row, y in enumerate(range(top, bottom, row_height)):
        if row == 0 or (stripes and row % 2):
            fill = theme.panel if row else header
            draw.rectangle((left, y, right, y + row_height - 1), fill)
        if horizontal:
            draw.line((left, y, right, y), theme.line)
        for column, (start, end) in enumerate(zip(edges, edges[1:])):
            is_name = row == 0 or column == 0
            cell = words.title(rng, 2) if is_name else words.number(rng)
            length = draw.textlength(cell, face)
            x = start + 5 if is_name else max(start, round(end - 6 - length))
            colour = theme.accents[1] if rng.random() < 0.04 else theme.ink
            y_text = y + (row_height - size) // 2 - 1
            # Text is cut at the sides of its cell, as in a spreadsheet.
            while cell and x + draw.textlength(cell, bold) > end:
                cell = cell[:-1]
            draw.text((x, y_text), cell, colour, face if row else bold)
    for x in edges if vertical else ():
        draw.line((x, top, x, bottom), theme.line)


def terminal(rng, draw, box, theme: Theme) -> None:
    """Prompts, listings and messages in a monospaced font."""
    left, top, right, bottom = box
    size = int(rng.integers(9, 22))
    face = drawing.font(drawing.random_family(rng, "mono", "modern_mono"), size)
    advance, prompt = face.getlength("m"), f"{words.word(rng)}@{words.word(rng)}:~$"
    for y in range(top + 3, bottom, round(size * rng.uniform(1.1, 1.4))):
        sort = rng.random()
        if sort < 0.2:
            fields = [(prompt, theme.accents[0]), (words.title(rng), theme.ink)]
        elif sort < 0.7:
            mode = "".join(rng.choice(list("r-w-x"), 9))
            fields = [(mode, theme.muted), (words.number(rng).rjust(12), theme.ink)]
            fields.append((words.identifier(rng), drawing.pick(rng, theme.accents)))
        else:
            fields = [(words.sentence(rng), theme.ink)]
        x = left + 4
        for field, colour in fields:
            draw.text((x, y), field, colour, face)
            x += round((len(field) + 1) * advance)
