"""Exports models for TensorFlow Serving and Triton."""

from pathlib import Path
from typing import Optional

import tensorflow as tf

from tf_imgcomp import __version__
from tf_imgcomp.codecs.registry import new_codec
from tf_imgcomp.entropy_coding import standard_range_coder
from tf_imgcomp.errors import ModelError
from tf_imgcomp.export import saving
from tf_imgcomp.export.codec import CodecModule
from tf_imgcomp.export.postfilter import PostfilterModule
from tf_imgcomp.model_folder import design_of, read_card
from tf_imgcomp.postfilter.registry import new_postfilter
from tf_imgcomp.serving import codec, postfilter, warmup
from tf_imgcomp.serving.codec import ServingCodec
from tf_imgcomp.serving.postfilter import ServingFilter
from tf_imgcomp.serving.signature_table import describe

PIXELS_MAX = 67_000_000


def export(
    folder: Path,
    output: Path,
    version: Optional[int] = None,
    pixels_max: int = PIXELS_MAX,
) -> Path:
    """Writes a model for TensorFlow Serving.

    All numbers come from the SavedModel of the shipped model; only the graph is new.

    Args:
        folder: of a codec or a filter, `saved_models/<id>`.
        output: gets `<id>/<version>/`.
        version: None: the one after the newest there.
        pixels_max: the export refuses images with more pixels.

    Returns:
        The folder written.

    Raises:
        ModelError: If `folder` does not hold an intact model.
    """
    card = read_card(folder)
    kind, name, sizes = design_of(card)
    target = Path(output) / card["id"]
    card |= _facts(pixels_max)
    if kind == "postfilter":
        module = PostfilterModule(new_postfilter(name, sizes))
        _restore(module, folder)
        serving = ServingFilter(module, card, pixels_max)
        calls = warmup.filter_calls(serving)
    else:
        trained = new_codec(name, sizes)
        module = CodecModule(trained, card["tile"], standard_range_coder)
        _restore(module, folder)
        serving = ServingCodec(module, card, pixels_max)
        calls = warmup.codec_calls(serving)
    target /= str(version or next_version(target))
    # As the warm-up calls traced them. Else saving would trace each a second time.
    signatures = {
        name: function.get_concrete_function()
        for name, function in serving.signatures.items()
    }
    saving.save(
        serving,
        signatures,
        target,
        {**card, "signatures": describe(signatures)},
        {},
        lambda new: warmup.write(new, card["id"], calls),
    )
    return target


def up_to_date(folder: Path, output: Path, pixels_max: int = PIXELS_MAX) -> Path:
    """The newest export of a model.

    It is written again if weights, settings or the version of this package changed.

    Args, Returns, Raises:
        See `export`.
    """
    card = read_card(folder)
    models = Path(output) / card["id"]
    newest = models / str(next_version(models) - 1)
    try:
        found = read_card(newest)
    except ModelError:  # There is none.
        return export(folder, output, pixels_max=pixels_max)
    signatures = postfilter.SIGNATURES if "postfilter" in card else codec.SIGNATURES
    is_same = found.get("signatures", {}).keys() == set(signatures) and all(
        found.get(key) == value for key, value in {**card, **_facts(pixels_max)}.items()
    )
    return newest if is_same else export(folder, output, pixels_max=pixels_max)


def _facts(pixels_max: int) -> dict:
    """What an export's card has beside the model's. A change makes another graph."""
    return {"pixels_max": pixels_max, "exported_by": f"tf_imgcomp {__version__}"}


def _restore(module: tf.Module, folder: Path) -> None:
    """Reads the variables of a SavedModel into a module like the exported one."""
    checkpoint = tf.train.Checkpoint(root=module)
    try:
        status = checkpoint.read(str(Path(folder) / "variables" / "variables"))
        status.assert_existing_objects_matched().expect_partial()
    except (AssertionError, ValueError, tf.errors.OpError) as error:
        reason = next(iter(str(error).splitlines()), "")
        raise ModelError(
            f"model {folder} does not have the variables that its card tells: {reason}"
        ) from error


def next_version(folder: Path) -> int:
    """The number after the largest that names something in a folder, from 1 on."""
    versions = [int(path.name) for path in folder.glob("*") if path.name.isdecimal()]
    return max(versions, default=0) + 1
