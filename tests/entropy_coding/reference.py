"""The integer networks and tables in NumPy int64, position by position."""

import numpy as np

from tf_imgcomp.ops import checkerboard, quads


def integers(layer) -> tuple:
    """Weights, biases and shift of a layer, int64."""
    scale = layer.scale.numpy().astype(np.float64)
    biases = layer.biases.numpy() / scale
    return tuple(
        v.astype(np.int64) for v in (layer.weights.numpy(), biases, -np.log2(scale))
    )


def _quad_taps(i: int, j: int) -> list:
    """Places in a 5x5 window of what is decoded before, pass by pass, row by row."""
    order = quads.POSITIONS
    number = order.index((i % 2, j % 2))
    return [
        (row, column)
        for position in order[:number]
        for row, column in np.ndindex(5, 5)
        if ((i + row) % 2, (j + column) % 2) == position
    ]


_TAPS = {
    "checkerboard": lambda i, j: checkerboard.TAPS if (i + j) % 2 else (),
    "quads": _quad_taps,
}


def dense(layer, x: np.ndarray, activate: bool) -> np.ndarray:
    weights, biases, shift = integers(layer)
    sums = x @ weights + biases
    if activate:
        shift = np.where(sums < 0, shift + 3, shift)
    y = (sums + (1 << (shift - 1))) >> shift
    return np.clip(y, -1024, 1024) if activate else y


def _window(x: np.ndarray, row: int, column: int, reach: int) -> np.ndarray:
    padded = np.pad(x, ((reach, reach), (reach, reach), (0, 0)))
    return padded[row : row + 2 * reach + 1, column : column + 2 * reach + 1]


def run_hyper_synthesis(coder, z: np.ndarray) -> np.ndarray:
    """z `(h, w, n)` to psi `(4 * h, 4 * w, f)`."""
    for layer in coder.hyper_synthesis:
        height, width, _ = z.shape
        outputs = layer.biases.shape[0] // 4
        up = np.zeros((2 * height, 2 * width, outputs), np.int64)
        for i in range(height):
            for j in range(width):
                y = dense(layer, _window(z, i, j, 1).ravel(), True)
                block = y.reshape(2, 2, outputs)
                up[2 * i : 2 * i + 2, 2 * j : 2 * j + 2] = block
        z = up
    return z


def _embed(coder, networks, y: np.ndarray) -> np.ndarray:
    table = coder.log_table.numpy().astype(np.int64)
    magnitude = table[np.minimum(np.abs(y), len(table) - 1)]
    features = np.concatenate([np.sign(y) * magnitude, magnitude], axis=-1)
    return dense(networks.embedding, features, True)


def raw_parameters(coder, z: np.ndarray, y: np.ndarray, rate: np.ndarray) -> list:
    """Mixture parameters of each slice at every position, `(h, w, 3 * K * c)`.

    Args:
        z: int `(h / 4, w / 4, n)`.
        y: int `(h, w, c)`, the decoded latents.
        rate: int `(levels,)`.
    """
    psi = run_hyper_synthesis(coder, z)
    parts = np.split(y, np.cumsum(coder.config.slices)[:-1], axis=-1)
    embedded = [_embed(coder, net, part) for net, part in zip(coder.slices, parts)]
    results = []
    for number, networks in enumerate(coder.slices):
        result, convs = [], networks.context_convs
        for i, j in np.ndindex(psi.shape[:2]):
            known = [psi[i, j], rate]
            if number:
                before = np.concatenate(embedded[:number], axis=-1)
                window = _window(before, i, j, 1).ravel()
                known.append(dense(networks.channel_conv, window, True))
            around = np.zeros(networks.features, np.int64)
            taps = _TAPS[coder.config.context](i, j)
            if taps:
                window = _window(embedded[number], i, j, 2)
                seen = np.concatenate([window[tap] for tap in taps])
                place = {
                    conv.weights.shape[0] // window.shape[-1]: conv for conv in convs
                }
                around = dense(place[len(taps)], seen, True)
            h = np.concatenate([*known, around])
            for layer in networks.hidden:
                h = dense(layer, h, True)
            result.append(dense(networks.last, h, False))
        results.append(np.reshape(result, psi.shape[:2] + (-1,)))
    return results


def distribution(tables, logits, offsets, log2_scales, edges) -> tuple:
    """The centre of one element, and its distribution function at edges around it.

    Logits, offsets and log2 scales are int lists of length K, all else is int; the
    distribution function is in units of 2**-30.
    """
    phi, power, scale, exp = (
        table.numpy().astype(object)
        for table in (tables.phi, tables.inverse_power, tables.scale, tables.exp)
    )
    log2_scales = [min(max(int(s), -4096), 9216) for s in log2_scales]
    scales = [scale[s + 4096] for s in log2_scales]
    offsets = [min(max(int(o), -65536), 65536) for o in offsets]
    means = [(o * s) >> 10 for o, s in zip(offsets, scales)]
    top = max(map(int, logits))
    powers = [exp[min(top - int(logit), 8192) >> 3] for logit in logits]
    rest = [(p << 11) // sum(powers) for p in powers[1:]]
    weights = [(1 << 11) - sum(rest), *rest]
    mean = sum(w * m for w, m in zip(weights, means))
    centre = (mean + (1 << 20)) >> 21
    totals = []
    for edge in edges:
        total = 0
        for w, m, s in zip(weights, means, log2_scales):
            distance = edge * 1024 + 512 - (m - centre * 1024)
            distance = min(max(distance, -(1 << 18)), 1 << 18)
            index = (distance * power[s & 1023]) >> ((s >> 10) + 13)
            total += w * phi[min(max(index, -4096), 4096) + 4096]
        totals.append(total)
    return centre, totals


def decisions(totals: dict, offset: int) -> list:
    """Rows and symbols of the binary decisions for an integer.

    Args:
        totals: distribution function at edges -128 to 126, see `distribution`.
        offset: the integer, relative to the centre.
    """
    place = min(max(offset, -127), 127) + 128
    low, high, below, above = 0, 256, 0, (1 << 30) + (256 << 12)
    made = []
    while high - low > 1:
        middle = (low + high) // 2
        total = totals[middle - 129] + (middle << 12)
        number = min((above - total) * 4096 // (above - below), 4095)
        made.append((3 + number, int(place >= middle)))
        if place >= middle:
            low, below = middle, total
        else:
            high, above = middle, total
    return made


def tied_row(tables, logits, offset: int, log2_scale: int) -> tuple:
    """The first symbol's value and the row of an element of tied Gaussians, ints."""
    index = min(max(log2_scale, -4096), 9216) + 4096
    offset = min(max(offset, -65536), 65536)
    mean = offset * int(tables.scale[index])
    centre = (mean + (1 << 19)) >> 20
    fraction = mean - (centre << 20) + (1 << 19)
    level = tables.levels.numpy()[(index + 64) >> 7].tolist()
    fractions, half_width, _, start = level
    number = (fraction * fractions) >> 20
    for logit in logits:
        number = 16 * number + ((min(max(logit, -4096), 4095) + 4096) >> 9)
    length = 2 * half_width + 4
    row = tables.read().table.numpy()[start + number * length :][:length]
    return centre - half_width, row.tolist()
