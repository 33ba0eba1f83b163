#!/usr/bin/env -S python3 -I
"""Exports models for TensorFlow Serving.

    bin/export_serving --model=fdram --output=DIR

This writes DIR/fdram/1/, which a stock tensorflow_model_server loads: files go in and
out as bytes, and all operations are TensorFlow's own. docs/serving.md has the
signatures. A filter, like bpg+xue2019, is exported alone. A model takes one or two
minutes.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # No start-up noise.

from collections.abc import Sequence

from absl import app, flags

from tf_imgcomp_bin.command_line import program

PROGRAM = "export_serving"

_MODEL = flags.DEFINE_list("model", ["fdram"], "Ids or folders of models.")
_OUTPUT = flags.DEFINE_string(
    "output", None, "Folder that gets <id>/<version>/.", required=True
)
_VERSION = flags.DEFINE_integer(
    "model_version",
    None,
    "Version of the export. None: after the newest.",
    lower_bound=1,
)
_MEGAPIXELS = flags.DEFINE_float(
    "max_megapixels", 67.0, "The server refuses larger images.", 0.01, 1000.0
)


def main(argv: Sequence[str]) -> int:
    if len(argv) > 1:
        raise app.UsageError(f"Expected flags only, received {argv[1:]}.")
    return program.guard(PROGRAM, export)


def export() -> int:
    from tf_imgcomp.image_codecs.models import find
    from tf_imgcomp.serving.export import export

    pixels_max = int(_MEGAPIXELS.value * 1e6)
    for model in _MODEL.value:
        folder = find(model)
        print(export(folder, _OUTPUT.value, _VERSION.value, pixels_max))
    return 0


def run() -> None:
    program.run(PROGRAM, main)


if __name__ == "__main__":
    run()
