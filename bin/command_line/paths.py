"""Input and output paths of programs."""

from __future__ import annotations

import glob
import os
from collections.abc import Collection, Sequence
from pathlib import Path

from tf_imgcomp.errors import ImgcompError


def expand_inputs(arguments: Sequence[str], suffixes: Collection[str]) -> list[Path]:
    """Returns the files that a user's arguments stand for.

    Args:
        arguments: Files, folders and globs (`**` for any depth). A folder stands for
            its files with one of the `suffixes`, without subfolders.
        suffixes: Extensions in lower case, with their dot.

    Returns:
        Each file once. An argument that matches nothing, or may not be read, stays in
        the list, so that opening it raises the right error.

    Raises:
        ImgcompError: If an argument is empty.
    """
    inputs = []
    for argument in arguments:
        if not argument:  # As of a shell's variable that is not set.
            raise ImgcompError("expected the name of an input, received an empty one")
        try:
            found = _matching(argument, suffixes)
        except PermissionError:
            found = []
        inputs += sorted(found) or [Path(argument)]
    return list(dict.fromkeys(inputs))


def name_a_folder(arguments: Sequence[str]) -> bool:
    """Whether one of a user's arguments is a folder, however many files it holds."""
    return any(map(os.path.isdir, arguments))


def _matching(argument: str, suffixes: Collection[str]) -> list[Path]:
    path = Path(argument)
    if path.is_dir():
        found = [file for file in path.iterdir() if file.suffix.lower() in suffixes]
        return [file for file in found if _may_be_file(file)]
    if path.exists():
        return [path]
    return [Path(name) for name in glob.glob(argument, recursive=True)]


def _may_be_file(path: Path) -> bool:
    try:
        return path.is_file()
    except PermissionError:
        return True


def output_paths(
    inputs: Sequence[Path],
    output: str | None,
    suffix: str,
    *,
    into_folder: bool = False,
) -> dict[Path, Path]:
    """Returns the output path of each input.

    Args:
        inputs: Files, each named once.
        output: None to write beside each input; a file for one input; a folder for
            several inputs, if it ends in `/`, or if the folder exists.
        suffix: Extension of the results, with its dot.
        into_folder: Whether `output` is a folder for one input, too.

    Raises:
        ImgcompError: If several inputs would go to one file.
    """
    if output is None:
        return {path: path.parent / (path.stem + suffix) for path in inputs}
    folder = Path(output)
    one = len(inputs) == 1 and not into_folder
    if one and not output.endswith("/") and not folder.is_dir():
        return {inputs[0]: folder}
    if folder.exists() and not folder.is_dir():
        reason = "a folder of inputs" if into_folder else f"{len(inputs)} inputs"
        raise ImgcompError(
            f"--output: expected a folder for {reason}, received the file {output}"
        )
    return {path: folder / (path.stem + suffix) for path in inputs}
