"""Which files a program reads and where it writes."""

from __future__ import annotations

import glob
from collections.abc import Collection, Sequence
from pathlib import Path

from tf_imgcomp.errors import ImgcompError


def expand_inputs(arguments: Sequence[str], suffixes: Collection[str]) -> list[Path]:
    """Returns the files that a user means.

    Args:
        arguments: Files, folders and globs (`**` for any depth). A folder stands for
            the files right in it that have one of the `suffixes`.
        suffixes: Extensions in lower case, with their dot.

    Returns:
        Each file once. An argument that stands for nothing stays in the list, so
        that opening it says what is wrong.
    """
    inputs = []
    for argument in arguments:
        path = Path(argument)
        if path.is_dir():
            files = (file for file in path.iterdir() if file.is_file())
            found = [file for file in files if file.suffix.lower() in suffixes]
        elif path.exists():
            found = [path]
        else:
            found = [Path(name) for name in glob.glob(argument, recursive=True)]
        inputs += sorted(found) or [path]
    return list(dict.fromkeys(inputs))


def output_paths(
    inputs: Sequence[Path], output: str | None, suffix: str
) -> dict[Path, Path]:
    """Returns for each input where its result goes.

    Args:
        inputs: Files, each named once.
        output: None for beside each input; a file for one input; a folder for
            several, or if it ends in `/` or is one already.
        suffix: Extension of the results, with its dot.

    Raises:
        ImgcompError: If several inputs would go to one file.
    """
    if output is None:
        return {path: path.with_suffix(suffix) for path in inputs}
    folder = Path(output)
    if len(inputs) == 1 and not output.endswith("/") and not folder.is_dir():
        return {inputs[0]: folder}
    if folder.exists() and not folder.is_dir():
        raise ImgcompError(
            f"--output: expected a folder for {len(inputs)} inputs, received the "
            f"file {output}"
        )
    return {path: folder / (path.stem + suffix) for path in inputs}
