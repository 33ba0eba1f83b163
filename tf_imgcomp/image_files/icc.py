"""Makes ICC profiles for colour spaces that a file names without one, and reads one."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

import numpy as np

_D50 = np.array([0.9642, 1.0, 0.8249])  # White of the profile connection space.
_BRADFORD = np.array(  # From XYZ to responses of the cones.
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
_FLAT = 1e-4  # Largest determinant of a matrix that is taken as singular.


def make_profile(
    name: str,
    white: Sequence[float],
    primaries: Sequence[Sequence[float]],
    curve: Sequence[float],
    *,
    grey: bool,
) -> bytes:
    """Returns an ICC profile, version 4.2, of a display (ICC.1:2004-10).

    Args:
        name: ASCII description, shown by viewers.
        white: x and y of white.
        primaries: x and y of red, green and blue.
        curve: g, a, b, c, d: linear light is `(a * v + b) ** g` from v = d on, and
            `c * v` below.
        grey: Whether it is for grey images, for which primaries do not matter.

    Raises:
        ValueError: If the primaries do not span a colour space, or numbers are larger
            than a profile can hold.
    """
    to_d50, columns = _matrices(white, primaries)
    kind = struct.pack(">4sIHH", b"para", 0, 3, 0)
    para = kind + b"".join(map(_fixed, curve))
    tags = {
        b"desc": _text(name),
        b"cprt": _text("CC0"),
        b"wtpt": _xyz(_D50),
        b"chad": b"sf32" + bytes(4) + b"".join(map(_fixed, to_d50.flat)),
    }
    if grey:
        tags[b"kTRC"] = para
    else:
        for letter, column in zip((b"r", b"g", b"b"), columns.T):
            tags[letter + b"XYZ"] = _xyz(column)
            tags[letter + b"TRC"] = para
    return _assemble(tags, b"GRAY" if grey else b"RGB ")


def read_code_points(profile: bytes) -> tuple[int, int] | None:
    """Returns code points of primaries and transfer function (ITU-T H.273).

    They are in the tag cicp (ICC.1:2022); None without it.
    """
    content = _tag(profile, b"cicp")
    return (content[8], content[9]) if len(content) >= 12 else None


def read_table(profile: bytes) -> np.ndarray | None:
    """Returns the light, 0 to 1, of evenly spaced samples of red or of grey.

    None if the profile says it otherwise than by a table.
    """
    curve = _tag(profile, b"rTRC") or _tag(profile, b"kTRC")
    count = int.from_bytes(curve[8:12], "big")
    if curve[:4] != b"curv" or count < 2 or len(curve) < 12 + 2 * count:
        return None
    return np.frombuffer(curve, ">u2", count, 12) / 65535


def read_primaries(profile: bytes) -> list[float] | None:
    """Returns x and y of white, red, green and blue; None if the profile lacks one."""
    names = (b"chad", b"rXYZ", b"gXYZ", b"bXYZ")
    numbers = b"".join(_tag(profile, name)[8:] for name in names)
    if len(numbers) != 4 * (9 + 3 * 3):
        return None
    matrix, *colours = np.split(np.frombuffer(numbers, ">i4") / 65536, (9, 12, 15))
    to_d50 = matrix.reshape(3, 3)
    if abs(np.linalg.det(to_d50)) < _FLAT:
        return None
    xyz = np.linalg.solve(to_d50, np.transpose([_D50, *colours]))
    sums = xyz.sum(0)
    return (xyz[:2] / sums).T.ravel().tolist() if (sums > 0).all() else None


def _tag(profile: bytes, name: bytes) -> bytes:
    """The content of a tag; empty without it."""
    count = int.from_bytes(profile[128:132], "big")
    for at in range(132, min(132 + 12 * count, len(profile) - 11), 12):
        found, start, size = struct.unpack_from(">4sII", profile, at)
        if found == name:
            return profile[start : start + size]
    return b""


def _matrices(
    white: Sequence[float], primaries: Sequence[Sequence[float]]
) -> tuple[np.ndarray, np.ndarray]:
    """The adaptation of white to D50, and adapted XYZ of red, green and blue."""
    corners = np.array([[x, y, 1 - x - y] for x, y in (*primaries, white)]).T
    flat = abs(np.linalg.det(corners[:, :3])) < _FLAT
    if white[1] <= 0 or flat or np.abs(corners).max() > 2:
        raise ValueError("the primaries do not span a colour space")
    xyz_white = corners[:, 3] / white[1]
    rgb = corners[:, :3] * np.linalg.solve(corners[:, :3], xyz_white)
    cones = np.diag(_BRADFORD @ _D50 / (_BRADFORD @ xyz_white))
    to_d50 = np.linalg.solve(_BRADFORD, cones @ _BRADFORD)
    return to_d50, to_d50 @ rgb


def _assemble(tags: dict[bytes, bytes], space: bytes) -> bytes:
    """Header, table of tags, and their contents; equal contents are stored once."""
    places: dict[bytes, int] = {}
    table, body = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        at = places.setdefault(content, 128 + 4 + 12 * len(tags) + len(body))
        table += struct.pack(">4sII", name, at, len(content))
        if at == 128 + 4 + 12 * len(tags) + len(body):
            body += content + bytes(-len(content) % 4)
    date = struct.pack(">6H", 2024, 1, 1, 0, 0, 0)  # Fixed: files must not vary.
    size = 128 + len(table) + len(body)
    head = struct.pack(">II4s4s4s4s", size, 0, b"\4\x20\0\0", b"mntr", space, b"XYZ ")
    head += date + b"acsp" + bytes(28) + b"".join(map(_fixed, _D50))
    return head.ljust(128, b"\0") + table + body


def _fixed(value: float) -> bytes:
    if not abs(value) < 32768:
        raise ValueError(f"expected a number below 32768, received {value:g}")
    return struct.pack(">i", round(value * 65536))


def _xyz(values: Iterable[float]) -> bytes:
    return b"XYZ " + bytes(4) + b"".join(map(_fixed, values))


def _text(text: str) -> bytes:
    data = text.encode("utf-16-be")
    return (
        struct.pack(">4sIII2s2sII", b"mluc", 0, 1, 12, b"en", b"US", len(data), 28)
        + data
    )
