"""Files made to harm: the standard decoder refuses what the native one refuses."""

import io
import zlib

import numpy as np
import pytest
from PIL import Image

from tests.serving.server import run, strings
from tf_imgcomp import bitstream
from tf_imgcomp.errors import BitstreamError, ImgcompError

MUTANTS = 2000
_BATCH = 100
_PREFIX = len(bitstream.codec_field("tiny")) + 1
_HEADER = 14  # Bytes after the prefix, up to the length of the first part.


def _resealed(data: bytes) -> bytes:
    """The same with right checks, if the header can be read."""
    try:
        first = bitstream.first_part_size(data) - 4
    except BitstreamError:
        return data
    if not 0 <= first <= len(data) - 8:
        return data
    crc = zlib.crc32(data[:first]).to_bytes(4, "little")
    data = data[:first] + crc + data[first + 4 :]
    return data[:-4] + zlib.crc32(data[:-4]).to_bytes(4, "little")


def mutant(data: bytes, random) -> bytes:
    """A file with some bytes changed, cut out or put in, of the header or after it."""
    data = bytearray(data)
    size = _HEADER if random.random() < 0.6 else len(data) - _PREFIX
    for _ in range(random.integers(1, 4)):
        place = _PREFIX + int(random.integers(size))
        value = int(random.choice([random.integers(256), 0, 1, 127, 128, 255]))
        kind = random.random()
        if kind < 0.8:
            data[min(place, len(data) - 1)] = value
        elif kind < 0.9:
            del data[place : place + int(random.integers(1, 9))]
        else:
            data[place:place] = bytes([value]) * int(random.integers(1, 9))
    return _with_length(bytes(data)) if random.random() < 0.9 else bytes(data)


def _with_length(data: bytes) -> bytes:
    """The same with the right length of the file, and right checks."""
    reader = bitstream.Reader(data)
    try:
        reader.take(_PREFIX)
        reader.varint()
    except BitstreamError:
        return data
    length = bitstream.varint(reader.left)
    return _resealed(data[:_PREFIX] + length + data[reader.position :])


def _decoded(native, data: bytes):
    """Native pixels, or None if the file is refused."""
    try:
        return native.decode(data)
    except ImgcompError:
        return None


@pytest.mark.slow
def test_mutants_are_refused_as_by_the_native_decoder(
    native, serving_folder, make_image, tmp_path
):
    random = np.random.default_rng(1)
    files = [native.encode(make_image(*size), 60) for size in ((60, 64), (40, 130))]
    mutants = [mutant(files[number % 2], random) for number in range(MUTANTS)]
    batches = [mutants[start : start + _BATCH] for start in range(0, MUTANTS, _BATCH)]
    calls = [("decompress", {"files": strings(*batch)}) for batch in batches]
    accepted = 0
    for batch, result in zip(batches, run(serving_folder, calls, tmp_path)):
        for data, image, error in zip(batch, result["images_bytes"], result["error"]):
            expected = _decoded(native, data)
            if expected is None:
                assert error
            elif not error:
                pixels = np.asarray(Image.open(io.BytesIO(image)).convert("RGB"))
                assert np.abs(pixels.astype(int) - expected).max() <= 1
                accepted += 1
    assert accepted  # Some change the quality only by little, or nothing at all.
