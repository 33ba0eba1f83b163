"""The file of a model's weights."""

import numpy as np
import pytest

from tf_imgcomp import weights_file
from tf_imgcomp.errors import ModelError


@pytest.fixture
def path(tmp_path):
    random = np.random.default_rng(1)
    arrays = {f"layer/{n}": random.normal(size=(3, 40 * n)) for n in range(1, 4)}
    weights_file.write(tmp_path / "weights.npz", arrays)
    return tmp_path / "weights.npz"


def test_arrays_come_back_in_half_precision(tmp_path):
    arrays = {"b": np.array([[0.1, -3.0]]), "a": np.float32(7.5)}
    weights_file.write(tmp_path / "weights.npz", arrays)
    read = weights_file.read(tmp_path / "weights.npz")
    assert list(read) == ["b", "a"]
    for name, array in arrays.items():
        np.testing.assert_array_equal(read[name], np.float16(array))


def test_whatever_is_damaged_there_is_one_kind_of_error(path):
    data, random = path.read_bytes(), np.random.default_rng(2)
    errors = []
    for _ in range(600):
        damaged = bytearray(data)
        for place in random.integers(0, len(data), 3):
            damaged[place] = random.integers(256)
        path.write_bytes(damaged)
        try:
            weights_file.read(path)
        except ModelError as error:
            errors.append(str(error))
    assert set(errors) == {f"{path} is damaged, or holds no weights"}
    assert len(errors) > 300


@pytest.mark.parametrize("method", [0, 1, 12, 14, 99])
def test_another_compression_is_damage(path, method):
    data = bytearray(path.read_bytes())
    entry = data.index(b"PK\1\2")  # The first of the central directory.
    assert data[entry + 10] == 8  # Its method.
    data[entry + 10] = method
    path.write_bytes(data)
    with pytest.raises(ModelError, match="damaged, or holds no weights"):
        weights_file.read(path)


def test_a_file_that_is_not_there_is_no_damage(tmp_path):
    with pytest.raises(FileNotFoundError):
        weights_file.read(tmp_path / "weights.npz")
