"""Bases to initialize transforms and for frequency attention, in float64."""

import numpy as np

# Orthonormal opponent colours: luma, red against blue, green against magenta. The
# squared error in RGB is then the squared error of the three, without weights.
OPPONENT_COLOURS = np.array([[1, 1, 1], [1, 0, -1], [1, -2, 1]], np.float64)
OPPONENT_COLOURS /= np.linalg.norm(OPPONENT_COLOURS, axis=1, keepdims=True)

# The 16 best single frequencies on a 7x7 map for a classifier, vertical and horizontal
# (Qin et al., "FcaNet: Frequency Channel Attention Networks", ICCV 2021).
TOP_FREQUENCIES = np.array(
    [
        [0, 0, 6, 0, 0, 1, 1, 4, 5, 1, 3, 0, 0, 0, 3, 2],
        [0, 1, 0, 5, 2, 0, 2, 0, 0, 6, 0, 4, 6, 3, 5, 2],
    ]
)


def dct2(size: int) -> np.ndarray:
    """The orthonormal DCT-II, float64 `(frequency, position)`."""
    frequency, position = np.mgrid[:size, :size]
    basis = np.sqrt(2 / size) * np.cos(np.pi * frequency * (position + 0.5) / size)
    basis[0] /= np.sqrt(2)
    return basis


def dct2_up_to(size: int) -> np.ndarray:
    """The DCT-II of every size up to one, each row with mean square 1.

    Args:
        size: int, the largest size.

    Returns:
        float64 `(size + 1, size, size)` for size, frequency and position. Frequencies
        and positions that a smaller size does not have are zero.
    """
    table = np.zeros((size + 1, size, size))
    for n in range(1, size + 1):
        table[n, :n, :n] = np.sqrt(n) * dct2(n)
    return table


def dct4(size: int) -> np.ndarray:
    """The orthonormal DCT-IV, float64 `(frequency, position)`."""
    frequency, position = np.mgrid[:size, :size] + 0.5
    return np.sqrt(2 / size) * np.cos(np.pi * frequency * position / size)


def lapped_prefilter(size: int) -> np.ndarray:
    """The orthogonal filter that turns a block DCT into a lapped transform.

    It acts on the `size` samples around a block border (half from either side) before
    the DCT; its transpose acts there after the inverse DCT. This is the type-II fast
    LOT of Malvar, "Signal Processing with Lapped Transforms", 1992, written as a
    pre-filter as in Tran, Liang and Tu, "Lapped transform via time-domain pre- and
    post-filtering", IEEE Trans. Signal Processing 51(6), 2003.

    Args:
        size: int, even. The block size.

    Returns:
        float64 `(size, size)`, orthogonal.
    """
    half = size // 2
    identity, flip = np.eye(half), np.eye(half)[::-1]
    rotation = flip @ dct2(half).T @ dct4(half) @ flip
    butterfly = np.block([[identity, flip], [flip, -identity]]) / np.sqrt(2)
    zero = np.zeros((half, half))
    return butterfly @ np.block([[identity, zero], [zero, rotation]]) @ butterfly


def photo_variances(size: int) -> np.ndarray:
    """Variances of photos in the lapped transform of opponent colours.

    An isotropic power law, `peak / (u**2 + v**2 + offset) ** exponent`, fitted to 200
    training photos at size 16 (values 0..255; it fits log standard deviations
    within 0.2). It ranks the coefficients and sets their initial scale.

    Args:
        size: int. Block size.

    Returns:
        float64 `(size, size, 3)` for vertical and horizontal frequency and colour.
    """
    peak = np.array([243900.0, 12680.0, 2420.0])
    exponent = np.array([1.333, 1.829, 1.638])
    offset = np.array([0.230, 0.179, 0.145])
    frequency = np.arange(size) * (16 / size)
    radius = frequency[:, None, None] ** 2 + frequency[None, :, None] ** 2
    return peak / (radius + offset) ** exponent


def ranked_coefficients(size: int, channels: int) -> tuple:
    """The coefficients of largest variance in photos.

    Returns:
        Vertical frequency, horizontal frequency and colour of each, int `(channels,)`;
        and its standard deviation for pixels in [-1, 1], float64 `(channels,)`.
    """
    variances = photo_variances(size)
    chosen = np.argsort(-variances, axis=None, kind="stable")[:channels]
    deviations = np.sqrt(variances.ravel()[chosen]) / 127.5
    return np.unravel_index(chosen, variances.shape), deviations


def halving_stages(channels: tuple) -> list:
    """A block DCT of opponent colours in stages that each halve the map.

    A stage maps 2x2 positions of the previous stage to an approximation of its block's
    DCT coefficients of largest variance (2x2, 4x4, ..): the nearest matrix with
    orthonormal rows.

    Args:
        channels: ints. Number of coefficients that each stage keeps.

    Returns:
        For each stage, float64 `(2, 2, before, channels)`, orthonormal columns, and
        the standard deviations of its outputs, `(channels,)`, pixels in [-1, 1].
    """
    stages, basis = [], np.eye(3).reshape(3, 1, 1, 3)  # (channel, row, column, colour)
    for number, count in enumerate(channels):
        size = 2 << number
        before = np.zeros((2, 2, len(basis), size, size, 3))
        for i, j in np.ndindex(2, 2):
            rows, columns = (slice(k * size // 2, (k + 1) * size // 2) for k in (i, j))
            before[i, j, :, rows, columns] = basis
        (u, v, colour), deviations = ranked_coefficients(size, count)
        dct = dct2(size)
        wanted = np.einsum("ci,cj,ck->cijk", dct[u], dct[v], OPPONENT_COLOURS[colour])
        stage = np.einsum("abpijk,cijk->abpc", before, wanted)
        left, _, right = np.linalg.svd(stage.reshape(-1, count), full_matrices=False)
        stage = (left @ right).reshape(stage.shape)
        basis = np.einsum("abpijk,abpc->cijk", before, stage)
        stages.append((stage, deviations))
    return stages
