"""How programs load a codec quickly, and the threads that they give it."""

from __future__ import annotations

import functools
import gc
import os
from collections.abc import Callable

from tf_imgcomp.image_codecs.classical import CLASSICAL_CODECS
from tf_imgcomp.image_codecs.interface import ImageCodec
from tf_imgcomp.image_codecs.workers import Workers
from tf_imgcomp_bin.command_line.messages import progress


def fast_startup(
    load: Callable[[str], ImageCodec], threads: int | None = None, at_once: int = 1
) -> Callable[[str], ImageCodec]:
    """The same function, loading faster, for a program that ends after a few images.

    Loaded objects live until exit, so garbage collection is frozen (saves 0.4 s).
    TensorFlow does not optimize the graphs (saves 0.5 s, costs 3 to 5 % of each image).
    See docs/startup.md.

    Args:
        load: Function from a model's name to its codec.
        threads: Of TensorFlow. None: one for each core.
        at_once: How many photos will be coded at the same time. If there are as many as
            threads, each operation has one thread, so that none waits for others.
    """

    def loaded(model: str) -> ImageCodec:
        if model in CLASSICAL_CODECS:  # Needs no TensorFlow.
            return load(model)
        gc.disable()
        try:
            import tensorflow as tf

            if threads:
                tf.config.threading.set_intra_op_parallelism_threads(threads)
                tf.config.threading.set_inter_op_parallelism_threads(threads)
            if at_once >= (threads or os.cpu_count() or 1):
                tf.config.threading.set_intra_op_parallelism_threads(1)
            codec = load(model)
        finally:
            gc.freeze()
            gc.enable()
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
        return codec

    return loaded


def workers(threads: int | None) -> Workers:
    """Threads for the tiles of images, with a progress bar on a terminal."""
    return Workers(threads, functools.partial(progress, unit="tile"))
