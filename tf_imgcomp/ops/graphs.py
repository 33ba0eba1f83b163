"""Python functions as TensorFlow graphs.

AutoGraph rewrites `if`, `for` and `while` on tensors. This package uses `tf.cond` and
`tf.while_loop` instead. AutoGraph would parse the source of all functions that are
called, which takes a quarter of the time of an export.
"""

import functools

import tensorflow as tf

graph_function = functools.partial(tf.function, autograph=False)
without_autograph = tf.autograph.experimental.do_not_convert  # Keras makes the graph.
