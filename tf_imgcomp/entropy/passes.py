"""The order in which latents are coded, written once for training and for files."""

from typing import Callable

import tensorflow as tf

from tf_imgcomp.ops import checkerboard

CONTEXTS = ("none", "checkerboard")


def run_passes(
    context: str,
    psi: tf.Tensor,
    parameters: Callable,
    context_prediction: Callable,
    code: Callable,
) -> tf.Tensor:
    """Visits all latents, each pass knowing what the passes before it decoded.

        context none            one pass over all positions
        context checkerboard    anchors from psi alone; the others from psi and anchors

    Args:
        context: str, one of `CONTEXTS`.
        psi: `(b, h, w, f)`. What hyper_synthesis says of every position.
        parameters: function of psi and context features (or None in the first pass) at
            the positions of a pass; returns whatever `code` takes.
        context_prediction: function of the decoded map `(b, h, w, c)`, zero where not
            yet decoded, to context features at the positions of the next pass.
        code: function of the pass's index and its parameters; codes or decodes the
            latents of those positions and returns them, `(b, ..., c)`.

    Returns:
        All latents, `(b, h, w, c)`.
    """
    if context == "none":
        return code(0, parameters(psi, None))
    psi_anchors, psi_others = checkerboard.split(psi)
    anchors = code(0, parameters(psi_anchors, None))
    known = checkerboard.merge(anchors, tf.zeros_like(anchors))
    others = code(1, parameters(psi_others, context_prediction(known)))
    return checkerboard.merge(anchors, others)


def split_passes(context: str, y: tf.Tensor) -> tuple:
    """The latents of each pass, in the order in which `run_passes` visits them."""
    return (y,) if context == "none" else checkerboard.split(y)
