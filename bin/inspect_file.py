#!/usr/bin/env -S python3 -I
"""Prints the header of .tfci files without decoding them.

    bin/inspect photo.tfci

An input is a file, a folder or a glob. Exit code 1 if a file is damaged, 2 for a usage
error.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tf_imgcomp import metrics
from tf_imgcomp.data import paths
from tf_imgcomp.files import bitstream
from tf_imgcomp.files.compression import SUFFIX
from tf_imgcomp_bin import command_line

PROGRAM = "inspect"


def describe(path: Path) -> str:
    """Returns the fields of a file, one on each line."""
    data = path.read_bytes()
    file = bitstream.unpack(data)
    sizes = [len(string) for string in file.strings]
    bpp = metrics.bpp(len(data), file.height, file.width)
    facts = {
        "file": f"{len(data)} bytes, {bpp:.4f} bpp",
        "format version": bitstream.VERSION,
        "model": f"{file.codec}, fingerprint {file.fingerprint:#06x}",
        "image": f"{file.width} x {file.height} pixels, "
        + ("grey" if file.grey else "colour"),
        "quality": f"{file.quality:.2f}",
        "strings": f"{sum(sizes)} bytes = {' + '.join(map(str, sizes))}",
        "latent checksum": f"{file.checksum:#06x}",
        "transparency": _size(file.alpha),
        "ICC profile": _size(file.icc),
        "EXIF": _size(file.exif),
    }
    lines = [f"    {name:<17}{fact}" for name, fact in facts.items()]
    return "\n".join([f"{path}:", *lines])


def _size(extra: bytes | None) -> str:
    return "none" if extra is None else f"{len(extra)} bytes"


def inspect(inputs: Sequence[str]) -> int:
    jobs = {path: path for path in paths.expand_inputs(inputs, {SUFFIX})}
    return command_line.each_file(PROGRAM, jobs, lambda path, _: describe(path))


def main(argv: Sequence[str]) -> int:
    if len(argv) < 2:
        command_line.end_with_usage_error(PROGRAM, "expected at least one input")
    return command_line.guard(PROGRAM, lambda: inspect(argv[1:]))


def run() -> None:
    command_line.run(PROGRAM, main)


if __name__ == "__main__":
    run()
