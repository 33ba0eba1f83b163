"""The controls of an interface: fields, buttons, symbols and labels."""

import copy

import numpy as np
from PIL import Image, ImageDraw

from tf_imgcomp.data.screens import drawing, words
from tf_imgcomp.data.screens.drawing import BOLD, Theme, mix, pick

WHITE = (255, 255, 255)


class Widgets:
    """Draws controls in one style. Boxes are left, top, right and bottom, pixels.

    Args:
        rng: source of the style and of every control.
        image: RGB image to draw on.
        theme: its colours.

    Attributes:
        size: size of the letters in pixels.
        row: height of a control in pixels.
        radius: radius of the corners in pixels.
        is_round: whether small controls are circles.
    """

    def __init__(self, rng: np.random.Generator, image: Image.Image, theme: Theme):
        self.rng, self.image, self.theme = rng, image, theme
        self.draw = ImageDraw.Draw(image)
        self.size = int(rng.integers(9, 17))
        family = drawing.random_family(rng, "sans", "sans", "stix")
        self.font = drawing.font(family, self.size)
        self.bold = drawing.font(family, self.size, BOLD)
        self.row = round(self.size * rng.uniform(1.6, 2.4))
        self.radius = int(rng.choice([0, 2, 4, 6, 10]))
        self.is_flat, self.is_round = rng.random(2) < 0.55

    def inside(self, width: int, height: int) -> "Widgets":
        """The same style on an empty image."""
        inner = copy.copy(self)
        inner.image = Image.new("RGB", (width, height), self.theme.background)
        inner.draw = ImageDraw.Draw(inner.image)
        return inner

    def panel(self, box, fill, outline=None) -> None:
        """A box with the corners of the style."""
        drawing.rounded_box(self.image, box, self.radius, fill, outline)

    def shaded(self, box, colour: tuple):
        """The fill of a box: the colour, or a gradient to it."""
        width, height = box[2] - box[0], box[3] - box[1]
        if self.is_flat or min(width, height) < 1:
            return colour
        pale = mix(colour, WHITE, 0.35)
        return drawing.gradient(width, height, pale, colour, np.pi / 2)

    def ink_on(self, colour: tuple) -> tuple:
        return self.theme.ink if colour == self.theme.panel else WHITE

    def label(self, x: int, y: int, string: str, colour=None, end=None, bold=False):
        """Text in a row that starts at `y`, cut before `end`."""
        face = self.bold if bold else self.font
        while end is not None and string and x + face.getlength(string) > end:
            string = string[:-1]
        top = y + (self.row - self.size) // 2 - 1
        self.draw.text((x, top), string, colour or self.theme.ink, face)

    def sign(self, number: int, box, ink) -> None:
        """The mark for closing (1), enlarging (2) or hiding a window."""
        left, top, right, bottom = box[0] + 2, box[1] + 2, box[2] - 2, box[3] - 2
        if number == 1:
            self.draw.line((left, top, right, bottom), ink)
            self.draw.line((left, bottom, right, top), ink)
        elif number == 2:
            self.draw.rectangle((left, top, right, bottom), outline=ink)
        else:
            self.draw.line((left, bottom, right, bottom), ink)

    def glyph(self, x: int, y: int, side: int) -> None:
        """A symbol of one or two shapes."""
        colour, other = (pick(self.rng, self.theme.accents) for _ in "ab")
        quarter = side // 4
        radius = int(self.rng.choice([1, quarter, side // 2]))
        drawing.rounded_box(self.image, (x, y, x + side, y + side), radius, colour)
        left, top = x + quarter, y + quarter
        right, bottom = x + side - quarter, y + side - quarter
        shape = self.rng.random()
        if shape < 0.4:
            radius = int(self.rng.integers(0, quarter + 2))
            drawing.rounded_box(self.image, (left, top, right, bottom), radius, other)
        elif shape < 0.7:
            thickness = max(1, side // 10)
            self.draw.line((left, bottom, right, top), WHITE, thickness)
        else:
            for line in range(top, bottom, 3):
                self.draw.line((left, line, right, line), WHITE)

    def icon(self, x: int, y: int) -> None:
        """A large symbol with its name."""
        side = int(self.rng.choice([24, 32, 48]))
        self.glyph(x, y, side)
        self.label(x, y + side, words.title(self.rng, 1))

    def button(self, right: int, y: int) -> int:
        """A button that ends at `right`; returns its left side."""
        name = words.title(self.rng, 2)
        left = right - round(self.font.getlength(name)) - 2 * self.size
        colour = pick(self.rng, (self.theme.panel, *self.theme.accents[:2]))
        self.panel((left, y, right, y + self.row), self.theme.line)
        inner = (left + 1, y + 1, right - 1, y + self.row - 1)
        self.panel(inner, self.shaded(inner, colour))
        self.label(left + self.size, y, name, self.ink_on(colour))
        return left

    def field(self, box) -> None:
        """A field with an entry or a muted hint."""
        fill = mix(self.theme.background, self.theme.panel, 0.3)
        self.panel(box, fill, self.theme.line)
        entry = pick(self.rng, (words.title, words.number))(self.rng)
        ink = pick(self.rng, (self.theme.ink, self.theme.muted))
        self.label(box[0] + 6, box[1] - 1, entry, ink, box[2] - 6)

    def tick(self, box) -> None:
        """A check box, ticked or not, with its name."""
        left, top, right, bottom = box
        side, ticked = self.size, self.rng.random() < 0.5
        y = (top + bottom - side) // 2
        fill = self.theme.accents[0] if ticked else self.theme.background
        radius = side // 2 if self.is_round else 2
        limits = (left, y, left + side, y + side)
        drawing.rounded_box(self.image, limits, radius, fill, self.theme.muted)
        if ticked:
            corner = (left + side // 2 - 1, y + side - 4)
            path = [(left + 2, y + side // 2), corner, (left + side - 3, y + 3)]
            self.draw.line(path, WHITE, 2)
        self.label(left + side + 6, top - 1, words.title(self.rng, 3), end=right)

    def slider(self, box) -> None:
        """A line with a knob."""
        left, top, right, bottom = box
        middle, half = (top + bottom) // 2, self.size // 2
        x = int(self.rng.uniform(left, max(left + 1, right - self.size)))
        for end, colour in ((right, self.theme.line), (x, self.theme.accents[0])):
            self.draw.rectangle((left, middle - 1, end, middle + 1), colour)
        knob = (x, middle - half, x + 2 * half, middle + half)
        fill, outline = self.theme.panel, self.theme.muted
        drawing.rounded_box(self.image, knob, half, fill, outline)

    def progress(self, box) -> None:
        """A bar, filled in part."""
        left, top, right, bottom = box
        third = (bottom - top) // 3
        done = int(self.rng.uniform(left + 8, max(left + 9, right)))
        for end, colour in ((right, self.theme.line), (done, self.theme.accents[0])):
            limits = (left, top + third, end, bottom - third)
            drawing.rounded_box(self.image, limits, third, colour)
