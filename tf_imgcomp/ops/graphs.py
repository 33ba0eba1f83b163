"""Python functions as TensorFlow graphs.

AutoGraph rewrites `if`, `for` and `while` on tensors. This package has `tf.cond` and
`tf.while_loop` there. AutoGraph would parse the source of all that a function calls: a
quarter of the time that an export takes.
"""

import functools

import tensorflow as tf

graph_function = functools.partial(tf.function, autograph=False)
without_autograph = tf.autograph.experimental.do_not_convert  # Where Keras makes it.
