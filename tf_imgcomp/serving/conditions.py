"""Errors as data: one bad element of a batch must not fail the others."""

import tensorflow as tf


class Conditions:
    """Collects conditions while a graph is traced; the first one that fails counts.

    Operations that depend on a failed condition still run, on any values. So each of
    their indexes and sizes has to be safe.

    Attributes:
        hold: bool scalar, whether all conditions hold; `(b,)` after conditions of that
            shape, one for each element.
        error: string like `hold`, "" or the message of the first one that does not.
    """

    def __init__(self):
        self.hold = tf.constant(True)
        self.error = tf.constant("")

    def require(self, holds: tf.Tensor, message) -> None:
        """Adds a condition.

        Args:
            holds: bool scalar, or `(b,)`.
            message: str or string like `holds`, for when it does not hold.
        """
        is_first = self.hold & ~holds
        self.error = tf.where(is_first, message, self.error)
        self.hold &= holds

    def require_none(self, errors: tf.Tensor) -> None:
        """Adds the condition that all of some errors `(n,)` are "".

        Of several, the first one is the message.
        """
        are_errors = tf.not_equal(errors, "")
        first = tf.argmax(are_errors)
        # At most one: there may be no errors at all.
        message = tf.strings.reduce_join(errors[first : first + 1])
        self.require(~tf.reduce_any(are_errors), message)

    def require_size(self, sides: tf.Tensor, pixels_max: int, step: int) -> None:
        """Adds the condition that an image does not have more pixels than a limit.

        Args:
            sides: int64 `(2,)`, at least 1.
            pixels_max: the limit.
            step: sides are padded to multiples of it before they are multiplied. A
                single row of pixels takes as much time and memory as `step` rows.
        """
        most = pixels_max + 1  # The product of any two sides may overflow.
        pixels = tf.reduce_prod(tf.minimum(padded(sides, step), most))
        of_what = f" padded to multiples of {step}" if step > 1 else ""
        self.require(pixels < most, f"too large: over {pixels_max} pixels{of_what}")


def padded(sides: tf.Tensor, step: int) -> tf.Tensor:
    """Sides rounded up to multiples of a step."""
    return -(-sides // step) * step


def limited(inputs: tf.Tensor, count: tf.Tensor, pixels_max: int) -> tf.Tensor:
    """The inputs of a call, which fails if its tiles have no or too many pixels.

    Transforms run on a whole batch at once, and its size decides the memory. They must
    take the returned tensor: an operation that does not depend on the check may start
    before it.

    Args:
        inputs: any tensor.
        count: integer scalar, the pixels.
        pixels_max: the limit.
    """
    message = f"too large: over {pixels_max} pixels in one call"
    count, limit = tf.cast(count, tf.int64), tf.constant(pixels_max, tf.int64)
    checks = [
        tf.debugging.assert_positive(count, "empty: no pixels in this call"),
        tf.debugging.assert_less_equal(count, limit, message),
    ]
    with tf.control_dependencies(checks):
        return tf.identity(inputs)
