#!/usr/bin/env -S python3 -I
"""Prints the header of .tfci files without decoding them.

    bin/inspect photo.tfci

An input is a file, a folder or a glob. Of a file that is cut or damaged after its first
part, it prints what is in that part. Exit code 1 if a file is damaged or cut, 2 for a
usage error.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from tf_imgcomp import bitstream, metrics
from tf_imgcomp.bitstream import EXIF, ICC, RESOLUTION, TEXT, XMP, TfciFile
from tf_imgcomp.data import paths
from tf_imgcomp.files.compression import SUFFIX
from tf_imgcomp_bin import command_line

PROGRAM = "inspect"

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
    text = "\n".join([f"{path}:", *_lines(data, file)])
    if error:
        tqdm.write(text)
        raise error
    return text


def _lines(data: bytes, file: TfciFile) -> list[str]:
    """One line for each fact about a file."""
    bpp = metrics.bpp(len(data), file.height, file.width)
    facts = {
        "file": f"{len(data)} bytes, {bpp:.4f} bpp",
        "format version": str(bitstream.VERSION),
        "model": f"{file.codec}, fingerprint {file.fingerprint:#06x}",
        "image": f"{file.width} x {file.height} pixels, "
        + ("grey" if file.grey else "colour"),
        "quality": f"{file.quality:.2f}",
        "variant": str(file.variant),
        "tiles": _tiles(file),
        **_parts(file),
        "preview": f"the first {bitstream.first_part_size(data)} bytes",
        "transparency": _size(sum(map(len, file.alpha or ()))),
        **_blocks(file),
    }
    return [f"    {name:<17}{fact}" for name, fact in facts.items()]


def _tiles(file: TfciFile) -> str:
    if not file.tile:
        return "1, the image"
    return f"{len(file.first)}, each up to {file.tile} x {file.tile} pixels"


def _parts(file: TfciFile) -> dict[str, str]:
    """Sizes of the parts, without transparency and CRC."""
    facts = {"first part": "none", "second part": "none"}
    tiles = [file.first] if file.rest is None else [file.first, file.rest]
    for name, part, index in zip(facts, tiles, bitstream.index_sizes(file)):
        facts[name] = f"{sum(map(len, part))} bytes, index {index} bytes"
    return facts


def _blocks(file: TfciFile) -> dict[str, str]:
    """Sizes of the metadata: of all known kinds, and of others that are there."""
    sizes = {name: 0 for name in _BLOCKS.values()}
    for kind, data in file.blocks:
        sizes[_BLOCKS.get(kind, f"metadata {kind}")] = len(data)
    return {name: _size(size) for name, size in sizes.items()}


def _size(num_bytes: int) -> str:
    return f"{num_bytes} bytes" if num_bytes else "none"


def inspect(inputs: Sequence[str]) -> int:
    jobs = {path: path for path in paths.expand_inputs(inputs, {SUFFIX})}
    return command_line.each_file(PROGRAM, jobs, lambda path, _: inspect_file(path))


def main(argv: Sequence[str]) -> int:
    if len(argv) < 2:
        command_line.end_with_usage_error(PROGRAM, "expected at least one input")
    return command_line.guard(PROGRAM, lambda: inspect(argv[1:]))


def run() -> None:
    command_line.run(PROGRAM, main)


if __name__ == "__main__":
    run()
