"""Renders the card of a model, `card.json`, for people: `card.md`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_NOT_STATED = "not stated"
_METRICS = {"psnr": "PSNR", "ms_ssim": "MS-SSIM", "ssimulacra2": "SSIMULACRA2"}


def render(card: Mapping[str, Any]) -> str:
    """Returns a model card in Markdown.

    Args:
        card: what `card.json` holds. `id` and `fingerprint` must be there. A
            missing licence is shown as "not stated"; other missing facts are left out.
    """
    sections = {
        "": _facts(card),
        "Training": _training(card),
        "Quality on Kodak": _quality(card),
        "Limits": [f"- {limit}" for limit in card.get("limits", [])],
    }
    lines = [f"# {card['id']}", "", "Rendered from `card.json`: change that."]
    for title, content in sections.items():
        if content:
            lines += ["", f"## {title}", ""] if title else [""]
            lines += content
    return "\n".join(lines) + "\n"


def _facts(card: Mapping[str, Any]) -> list[str]:
    design = card.get("codec", _NOT_STATED)
    if "postfilter" in card:
        before = card["id"].partition("+")[0]
        design = f"filter {card['postfilter']} after {before}"
    rows = [
        ["fingerprint", str(card["fingerprint"])],
        ["design", design],
        ["licence of the weights", card.get("licence") or _NOT_STATED],
        ["licence of the training images", card.get("data_licence") or _NOT_STATED],
    ]
    if "speed" in card:
        speed = card["speed"]
        rows.append(
            [
                "seconds for 768x512 on two cores",
                f"{speed['encode_seconds']:.2f} to compress, "
                f"{speed['decode_seconds']:.2f} to decompress",
            ]
        )
    return _table(["", ""], rows)


def _training(card: Mapping[str, Any]) -> list[str]:
    lines = []
    for name in ("data", "note"):
        if card.get(name):
            lines += [card[name], ""]
    runs = card.get("flags") or {}
    runs = runs if isinstance(runs, dict) else {"": runs}
    steps = card.get("steps", {})
    steps = steps if isinstance(steps, dict) else {"": steps}
    rows = [
        [name or "the run", str(steps.get(name, "")), _code(runs.get(name, []))]
        for name in {**steps, **runs}
    ]
    lines += _table(["run", "steps", "flags of bin/train"], rows)
    if card.get("validation"):
        names = list(card["validation"])
        values = [f"{value:.4f}" for value in card["validation"].values()]
        lines += ["", "On images held out from training:", ""]
        lines += _table(names, [values])
    return [line for n, line in enumerate(lines) if line or n + 1 < len(lines)]


def _quality(card: Mapping[str, Any]) -> list[str]:
    rows = [
        [
            f"{point['setting']:g}",
            f"{point['bpp']:.4f}",
            f"{point['psnr']:.2f}",
            f"{point['ms_ssim']:.4f}",
        ]
        for point in card.get("kodak", [])
    ]
    lines = _table(["quality", "bpp", "PSNR, dB", "MS-SSIM"], rows)
    return lines + _bd_rates(card.get("bd_rates", {}))


def _bd_rates(rates: Mapping[str, Mapping[str, float]]) -> list[str]:
    if not rates:
        return []
    known = [name for name in _METRICS if any(name in row for row in rates.values())]
    heading = ["against", *(_METRICS[name] for name in known)]
    rows = [[rival, *(_percent(row, n) for n in known)] for rival, row in rates.items()]
    text = "Change of rate at equal quality (BD-rate), in percent:"
    return ["", text, "", *_table(heading, rows)]


def _percent(rates: Mapping[str, float], metric: str) -> str:
    return f"{rates[metric]:+.1f}" if metric in rates else "-"


def _code(flags: Sequence[str]) -> str:
    return f"`{' '.join(flags)}`" if flags else ""


def _table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    if not rows:
        return []
    lines = [heading, ["---"] * len(heading), *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]
