"""Rate of a compressed image."""


def bpp(num_bytes: int, height: int, width: int) -> float:
    """Returns the bits per pixel of a file of `num_bytes` bytes.

    Args:
        num_bytes: int, size of the whole file.
        height: int > 0, of the image before any padding.
        width: int > 0, of the image before any padding.

    Raises:
        ValueError: If the image has no pixels.
    """
    if height < 1 or width < 1:
        raise ValueError(
            f"Expected a height and a width of at least 1, received {height} x {width}."
        )
    return 8 * num_bytes / (height * width)
