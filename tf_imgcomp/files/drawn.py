"""Whether an image looks drawn: a screenshot, a drawing, a scan of text."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class LookConfig:
    """Limits above which an image looks drawn.

    By these, 1.2 % of 726 photos decoded from lossy WebP look drawn, and none of
    Kodak's. All but one of 64 rendered screens and all of 40 noisy scans of text do.

    Attributes:
        rows: int. The look takes one row in this many.
        flat: float. Share of pixels equal to those at the left and above. An image that
            reaches it and `edges` is a drawing.
        very_flat: float. Share of such pixels that makes a drawing without edges.
        edges: float. Share of pixels at edges.
        edge: int. Step of green over two pixels that makes an edge.
        paper: float. Share of pixels of the most common levels of green, if they are
            light. An image that reaches it and `edges_on_paper` is a scan.
        edges_on_paper: float. Share of pixels at edges.
        paper_span: int. Number of these levels, one after the other.
        light: int. Smallest middle of these levels.
    """

    rows: int = 8
    flat: float = 0.5
    very_flat: float = 0.8
    edges: float = 0.015
    edge: int = 64
    paper: float = 0.6
    edges_on_paper: float = 0.05
    paper_span: int = 48
    light: int = 128


LOOK = LookConfig()


def looks_drawn(pixels: np.ndarray) -> bool:
    """Whether an image is probably no photo.

    Drawings have flat areas and edges. Scans have noise, and edges on light paper.

    Args:
        pixels: uint8 `(h, w, 3)`.
    """
    rows, above = pixels[1 :: LOOK.rows], pixels[: -1 : LOOK.rows]
    if not rows[:, 2:].size:
        return False
    alike = (rows[:, 1:] == rows[:, :-1]) & (rows[:, 1:] == above[:, 1:])
    flat = alike.all(-1).mean()
    green = rows[..., 1].astype(np.int16)
    edges = (np.abs(green[:, 2:] - green[:, :-2]) > LOOK.edge).mean()
    drawn = flat >= LOOK.flat and edges >= LOOK.edges
    scanned = edges >= LOOK.edges_on_paper and _paper(green) >= LOOK.paper
    return bool(flat >= LOOK.very_flat or drawn or scanned)


def _paper(green: np.ndarray) -> float:
    """The share of the most common levels, 0 if they are dark."""
    span = LOOK.paper_span
    counts = np.cumsum(np.bincount(green.ravel() + 1, minlength=257))
    shares = (counts[span:] - counts[:-span]) / green.size
    darkest = int(shares.argmax())
    return float(shares[darkest]) if darkest + span / 2 >= LOOK.light else 0.0
