#!/usr/bin/env -S python3 -I
"""Prints the header of .tfci files without decoding them.

    bin/inspect photo.tfci
    bin/inspect --json small/    # A line of JSON for each file.

An input is a file, a folder or a glob. Of a file that is cut or damaged after its first
part, it prints what is in that part. Exit code 1 if a file is damaged or cut, 2 for a
usage error.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from absl import flags
from tqdm import tqdm

from tf_imgcomp import bitstream, metrics
from tf_imgcomp.bitstream import EXIF, ICC, RESOLUTION, TEXT, XMP, TfciFile
from tf_imgcomp.files.compression import SUFFIX
from tf_imgcomp_bin.command_line import file_jobs, messages, paths, program

PROGRAM = "inspect"

_JSON = flags.DEFINE_bool("json", False, "Print JSON, one line for each file.")

_BLOCKS = {ICC: "ICC profile", EXIF: "EXIF", XMP: "XMP"}
_BLOCKS |= {RESOLUTION: "resolution", TEXT: "text"}


def inspect_file(path: Path) -> str:
    """Returns what is in a file.

    Raises:
        BitstreamError: If it is damaged or cut, after what is in its first part was
            printed.
    """
    data = path.read_bytes()
    file, error = bitstream.salvage(data)
    facts = _facts(data, file)
    if _JSON.value:
        text = json.dumps({"file": str(path), **facts})
    else:
        name = messages.one_line(f"{path}:")
        text = "\n".join([name, *_lines(facts)])
    if error:
        tqdm.write(text)
        raise error
    return text


def _facts(data: bytes, file: TfciFile) -> dict[str, Any]:
    """What is in a file, for programs."""
    return {
        "bytes": len(data),
        "bpp": metrics.bpp(len(data), file.height, file.width),
        "format_version": bitstream.VERSION,
        "model": file.codec,
        "fingerprint": file.fingerprint,
        "width": file.width,
        "height": file.height,
        "grey": file.grey,
        "quality": file.quality,
        "variant": file.variant,
        "tiles": len(file.first),
        "tile_side": file.tile,
        "parts": _parts(file),
        "preview_bytes": bitstream.first_part_size(data),
        "transparency_bytes": sum(map(len, file.alpha or ())),
        "metadata_bytes": _metadata(file),
    }


def _parts(file: TfciFile) -> list[dict[str, int]]:
    """Sizes of each part, without transparency and CRC."""
    tiles = [file.first] if file.rest is None else [file.first, file.rest]
    return [
        {"bytes": sum(map(len, part)), "index_bytes": index}
        for part, index in zip(tiles, bitstream.index_sizes(file))
    ]


def _metadata(file: TfciFile) -> dict[str, int]:
    """Sizes of the metadata: of all known kinds, and of others that are there."""
    sizes = {name: 0 for name in _BLOCKS.values()}
    for kind, data in file.blocks:
        sizes[_BLOCKS.get(kind, f"metadata {kind}")] = len(data)
    return sizes


def _lines(facts: dict[str, Any]) -> list[str]:
    """One line for each fact about a file."""
    colours = "grey" if facts["grey"] else "colour"
    parts = [
        f"{part['bytes']} bytes, index {part['index_bytes']} bytes"
        for part in facts["parts"]
    ]
    side = facts["tile_side"]
    tiles = f"{facts['tiles']}, each up to {side} x {side} pixels"
    lines = {
        "file": f"{facts['bytes']} bytes, {facts['bpp']:.4f} bpp",
        "format version": facts["format_version"],
        "model": f"{facts['model']}, fingerprint {facts['fingerprint']}",
        "image": f"{facts['width']} x {facts['height']} pixels, {colours}",
        "quality": f"{facts['quality']:.2f}",
        "variant": facts["variant"],
        "tiles": tiles if side else "1, the image",
        **dict(zip(("first part", "second part"), [*parts, "none"])),
        "preview": f"the first {facts['preview_bytes']} bytes",
        "transparency": _size(facts["transparency_bytes"]),
        **{name: _size(size) for name, size in facts["metadata_bytes"].items()},
    }
    return [f"    {name:<17}{fact}" for name, fact in lines.items()]


def _size(num_bytes: int) -> str:
    return f"{num_bytes} bytes" if num_bytes else "none"


def inspect(inputs: Sequence[str]) -> int:
    jobs = {path: path for path in paths.expand_inputs(inputs, {SUFFIX})}
    return file_jobs.each_file(PROGRAM, jobs, lambda path, _: inspect_file(path))


def main(argv: Sequence[str]) -> int:
    if len(argv) < 2:
        program.end_with_usage_error(PROGRAM, "expected at least one input")
    return program.guard(PROGRAM, lambda: inspect(argv[1:]))


def run() -> None:
    program.run(PROGRAM, main)


if __name__ == "__main__":
    run()
