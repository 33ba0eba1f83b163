"""Pixel art: tile maps, sprites and dithered scenes, scaled up without smoothing."""

import numpy as np
from PIL import Image, ImageDraw

from tf_imgcomp.data.screens import drawing, words

# Thresholds of ordered dithering: Bayer 1973, 4x4.
BAYER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]])


def scene(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """A scene of few colours in large pixels, RGB."""
    scale = int(rng.choice([2, 3, 4, 5, 6, 8]))
    columns, rows = -(-width // scale), -(-height // scale)
    palette = random_palette(rng)
    sort = drawing.pick(
        rng, (tile_map, tile_map, landscape, landscape, sheet, dithered)
    )
    small = sort(rng, columns, rows, palette)
    if rng.random() < 0.5:
        small = status_line(rng, small, palette)
    large = np.repeat(np.repeat(small, scale, 0), scale, 1)[:height, :width]
    return Image.fromarray(np.ascontiguousarray(large))


def random_palette(rng) -> np.ndarray:
    """4 to 24 colours from dark to light, uint8 `(n, 3)`."""
    count, hue = int(rng.integers(4, 25)), rng.random()
    spread, saturation = rng.uniform(0.2, 1), rng.uniform(0.2, 0.9)
    colours = [
        drawing.hsv((hue + rng.uniform(0, spread)) % 1, saturation, value)
        for value in np.linspace(rng.uniform(0, 0.2), 1, count)
    ]
    return np.array(colours, np.uint8)


def tile_map(rng, columns: int, rows: int, palette) -> np.ndarray:
    """Terrain of repeated tiles with sprites on it."""
    side = int(rng.choice([8, 8, 16]))
    kinds = int(rng.integers(2, 6))
    tiles = np.stack([tile(rng, side, palette) for _ in range(kinds)])
    across, down = columns // side + 1, rows // side + 1
    height = drawing.smooth_noise(rng, across, down)
    terrain = np.minimum((height * kinds).astype(int), kinds - 1)
    pixels = tiles[terrain].swapaxes(1, 2).reshape(down * side, across * side, 3)
    pixels = pixels[:rows, :columns].copy()
    sprites = [sprite(rng, side, palette) for _ in range(4)]
    for _ in range(int(across * down * rng.uniform(0.02, 0.15))):
        place = rng.integers(down) * side, rng.integers(across) * side
        stamp(pixels, *drawing.pick(rng, sprites), place)
    return pixels


def tile(rng, side: int, palette) -> np.ndarray:
    """A texture of two or three neighbouring colours, `(side, side, 3)`."""
    base = int(rng.integers(len(palette) - 2))
    sort, y, x = rng.random(), *np.mgrid[:side, :side]
    if sort < 0.4:
        shades = (rng.random((side, side)) < rng.uniform(0.05, 0.3)).astype(int)
    elif sort < 0.6:  # Bricks.
        shifted = x + side // 2 * (y // 4 % 2)
        shades = ((y % 4 == 0) | (shifted % side == 0)).astype(int)
    elif sort < 0.8:  # Waves.
        shades = ((x + 2 * y) % side < side // 4) & (y % 4 == 1)
    else:  # A raised plate.
        shades = 1 + ((x == 0) | (y == 0)) - ((x == side - 1) | (y == side - 1))
    return palette[base + np.asarray(shades, int)]


def sprite(rng, side: int, palette) -> tuple:
    """A mirrored figure with an outline: its colours and its mask."""
    half = rng.random((side - 2, side // 2 - 1))
    # Denser towards the middle, so that the figure is mostly connected.
    inside = half < np.linspace(0.25, 0.95, half.shape[1])
    body = np.pad(np.hstack([inside, inside[:, ::-1]]), 1)
    grown = body.copy()
    for axis in (0, 1):
        for step in (-1, 1):
            grown |= np.roll(body, step, axis)
    shades = rng.integers(len(palette) // 2, len(palette), (side // 2, side // 4))
    shades = np.repeat(np.repeat(shades, 2, 0), 2, 1)[:, : side // 2]
    shades = np.hstack([shades, shades[:, ::-1]])
    return palette[np.where(body, shades, 0)], grown


def stamp(pixels, colours, mask, place) -> None:
    """Draws a sprite on the pixels, clipped at their edges."""
    top, left = place
    area = pixels[top : top + mask.shape[0], left : left + mask.shape[1]]
    inside = mask[: area.shape[0], : area.shape[1]]
    area[inside] = colours[: area.shape[0], : area.shape[1]][inside]


def landscape(rng, columns: int, rows: int, palette) -> np.ndarray:
    """A dithered sky, ridges before it, platforms and sprites."""
    sky = np.linspace(0.9, 0.4, rows)[:, None] * np.ones(columns)
    pixels = ordered(sky, palette)
    x, y = np.arange(columns), np.arange(rows)[:, None]
    for layer in range(int(rng.integers(2, 5))):
        ridge = drawing.smooth_noise(rng, columns, 2)[0]
        line = rows * (0.35 + 0.15 * layer) + (ridge - 0.5) * rows * 0.35
        colour = palette[max(0, len(palette) // 2 - 1 - layer)]
        pixels[y > line[x]] = colour
    side = 8
    for _ in range(rng.integers(2, 9)):
        brick = tile(rng, side, palette)
        top, left = int(rng.integers(rows)), int(rng.integers(columns))
        for number in range(rng.integers(2, 8)):
            place = (top, left + number * side)
            stamp(pixels, brick, np.ones((side, side), bool), place)
        stamp(pixels, *sprite(rng, side, palette), (max(0, top - side), left))
    return pixels


def sheet(rng, columns: int, rows: int, palette) -> np.ndarray:
    """Sprites in rows on one colour."""
    side, gap = int(rng.choice([8, 12, 16, 24])), int(rng.integers(1, 6))
    pixels = np.empty((rows, columns, 3), np.uint8)
    pixels[:] = drawing.pick(rng, palette)
    repeats = int(rng.integers(1, 5))  # Like the frames of an animation.
    for top in range(gap, rows, side + gap):
        for number, left in enumerate(range(gap, columns, side + gap)):
            if number % repeats == 0:
                figure = sprite(rng, side, palette)
            stamp(pixels, *figure, (top, left))
    return pixels


def dithered(rng, columns: int, rows: int, palette) -> np.ndarray:
    """A picture in few colours, by ordered dithering or by error diffusion."""
    if rng.random() < 0.5:
        return ordered(drawing.smooth_noise(rng, columns, rows), palette)
    picture = drawing.picture(rng, columns, rows)
    colours = picture.quantize(len(palette))
    return np.asarray(picture.quantize(palette=colours, dither=1).convert("RGB"))


def ordered(values, palette) -> np.ndarray:
    """Values in [0, 1] as colours, by ordered dithering."""
    rows, columns = values.shape
    repeats = (-(-rows // 4), -(-columns // 4))
    thresholds = (np.tile(BAYER, repeats)[:rows, :columns] + 0.5) / 16
    return palette[np.floor(values * (len(palette) - 1) + thresholds).astype(int)]


def status_line(rng, pixels, palette) -> np.ndarray:
    """The pixels with a score, in letters without antialiasing."""
    image = Image.fromarray(pixels)
    draw = ImageDraw.Draw(image)
    draw.fontmode = "1"
    height = int(rng.integers(10, 14))
    draw.rectangle((0, 0, image.width, height), tuple(map(int, palette[0])))
    score = f"{words.title(rng, 1)} {rng.integers(10**5):05d}  x{rng.integers(9)}"
    face = drawing.font("sans", height - 2)
    draw.text((2, 0), score, tuple(map(int, palette[-1])), face)
    return np.asarray(image)
