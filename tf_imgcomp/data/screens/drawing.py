"""Tools to draw screens: fonts, colours, boxes and textures."""

import colorsys
import functools
from pathlib import Path
from typing import NamedTuple

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

FONT_FOLDER = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
# Files of the regular, bold and italic faces, which Matplotlib ships.
FAMILIES = {
    "sans": ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique"),
    "serif": ("DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic"),
    "mono": ("DejaVuSansMono", "DejaVuSansMono-Bold", "DejaVuSansMono-Oblique"),
    "stix": ("STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic"),
    "modern": ("cmr10", "cmb10", "cmti10"),
    "modern_sans": ("cmss10", "cmss10", "cmss10"),
    "modern_mono": ("cmtt10", "cmtt10", "cmtt10"),
}
REGULAR, BOLD, ITALIC = range(3)
SUPERSAMPLING = 4  # Pillow's shapes are not antialiased.


class Theme(NamedTuple):
    """RGB colours of one picture; `panel` and `line` lie near the background."""

    background: tuple
    panel: tuple
    line: tuple
    muted: tuple
    ink: tuple
    accents: tuple


@functools.lru_cache(maxsize=256)
def font(family: str, size: int, face: int = REGULAR) -> ImageFont.FreeTypeFont:
    """A font of a family in FAMILIES, `size` in pixels."""
    path = FONT_FOLDER / f"{FAMILIES[family][face]}.ttf"
    # Without Raqm, every machine lays text out alike.
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)


def random_family(rng: np.random.Generator, *families: str) -> str:
    """A random one of the families, or of all if none is given."""
    return str(rng.choice(families or tuple(FAMILIES)))


def hsv(hue: float, saturation: float, value: float) -> tuple:
    """An RGB colour in [0, 255] from three numbers in [0, 1]."""
    return tuple(round(255 * c) for c in colorsys.hsv_to_rgb(hue, saturation, value))


def mix(first: tuple, second: tuple, share: float) -> tuple:
    """The colour at `share` of the way from the first to the second."""
    return tuple(round(a + (b - a) * share) for a, b in zip(first, second))


def theme(rng: np.random.Generator) -> Theme:
    """Black on white, light grey, white on dark, or colours."""
    hue, accent = rng.random(2)
    kind = rng.choice(["white", "light", "dark", "colour"], p=[0.4, 0.2, 0.3, 0.1])
    if kind == "white":
        background, ink = (255, 255, 255), hsv(hue, 0.3, rng.choice([0, 0, 0.2]))
    elif kind == "light":
        background = hsv(hue, rng.uniform(0, 0.12), rng.uniform(0.9, 1))
        ink = hsv(hue, 0.5, 0.15)
    elif kind == "dark":
        background = hsv(hue, rng.uniform(0, 0.5), rng.uniform(0, 0.2))
        ink = hsv(hue, 0.08, rng.uniform(0.75, 1))
    else:
        background = hsv(hue, rng.uniform(0.5, 1), rng.uniform(0.3, 0.6))
        ink = hsv(accent, 0.2, 1)
    dark = sum(background) < 384
    # Bright enough on a dark background, and dark enough on a light one.
    low, high = (0.65, 1) if dark else (0.35, 0.85)
    vividness = rng.uniform(0.4, 1)
    accents = tuple(
        hsv(accent + step / 5, vividness * rng.uniform(0.5, 1), rng.uniform(low, high))
        for step in range(5)
    )
    return Theme(
        background,
        mix(background, ink, rng.uniform(0.03, 0.1)),
        mix(background, ink, rng.uniform(0.12, 0.3)),
        mix(background, ink, rng.uniform(0.45, 0.7)),
        ink,
        accents,
    )


def pick(rng: np.random.Generator, items):
    """A random one of the items, which may be tuples."""
    return items[int(rng.integers(len(items)))]


def canvas(width: int, height: int, colour: tuple) -> tuple:
    """A new RGB image of one colour, and its `ImageDraw`."""
    image = Image.new("RGB", (width, height), colour)
    return image, ImageDraw.Draw(image)


def rounded_box(image, box, radius: int, fill, outline=None) -> None:
    """Draws an antialiased rounded rectangle.

    Args:
        image: the RGB image drawn on.
        box: left, top, right and bottom, the last two exclusive.
        radius: radius of the corners in pixels.
        fill: RGB colour, or an image of the size of the box.
        outline: RGB colour of a line of one pixel, or None.
    """
    left, top, right, bottom = box
    if right - left < 3 or bottom - top < 3:
        return
    if outline is not None:
        rounded_box(image, box, radius, outline)
        rounded_box(image, (left + 1, top + 1, right - 1, bottom - 1), radius - 1, fill)
        return
    size = (right - left, bottom - top)
    mask = Image.new("L", [side * SUPERSAMPLING for side in size], 0)
    limits = (0, 0, mask.width - 1, mask.height - 1)
    radius = max(0, min(radius, *(side // 2 for side in size))) * SUPERSAMPLING
    ImageDraw.Draw(mask).rounded_rectangle(limits, radius, 255)
    source = fill if isinstance(fill, Image.Image) else Image.new("RGB", size, fill)
    image.paste(source, (left, top), mask.reduce(SUPERSAMPLING))


def gradient(width: int, height: int, first: tuple, second: tuple, angle: float):
    """An image from one colour to another along `angle`, radians."""
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    along = x * np.cos(angle) + y * np.sin(angle)
    along = (along - along.min()) / max(np.ptp(along), 1e-9)
    first, second = np.asarray(first, float), np.asarray(second, float)
    pixels = first + (second - first) * along[..., None]
    return Image.fromarray(np.rint(pixels).astype(np.uint8))


def smooth_noise(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """Noise of several octaves, `(height, width)`, in [0, 1]."""
    total = np.zeros((height, width), np.float32)
    for octave in range(1, 6):
        grid = rng.random((2**octave + 1, 2**octave + 1)).astype(np.float32)
        layer = Image.fromarray(grid).resize((width, height), Image.Resampling.BICUBIC)
        total += np.asarray(layer) * 0.6**octave
    total -= total.min()
    return total / max(float(total.max()), 1e-9)


def picture(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """An area like a photo: smooth shapes of a few colours, shading and grain."""
    shapes = smooth_noise(rng, width, height)
    colours = np.array([hsv(*rng.random(3)) for _ in range(rng.integers(3, 7))])
    stops = np.linspace(0, 1, len(colours))
    channels = [np.interp(shapes, stops, colours[:, c]) for c in range(3)]
    pixels = (
        np.stack(channels, -1)
        * (0.6 + 0.4 * smooth_noise(rng, width, height))[..., None]
    )
    pixels += rng.normal(0, rng.uniform(0, 8), (height, width, 1))
    return Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))
