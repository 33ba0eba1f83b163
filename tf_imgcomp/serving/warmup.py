"""Warm-up requests: a server runs them before it accepts others.

A SavedModel has them in `assets.extra/tf_serving_warmup_requests`: a TFRecord file of
`PredictionLog`, a protocol buffer of tensorflow-serving-api. The few fields needed are
written here, without that package.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf

from tf_imgcomp.bitstream import varint
from tf_imgcomp.image_codecs.tiles import LATENT
from tf_imgcomp.serving.codec import ServingCodec
from tf_imgcomp.serving.postfilter import ServingFilter

FILE = Path("assets.extra") / "tf_serving_warmup_requests"

# Numbers of the fields.
_PREDICT_LOG = 6  # Of PredictionLog.
_REQUEST = 1  # Of PredictLog.
_MODEL_SPEC, _INPUTS = 1, 2  # Of PredictRequest.
_NAME, _SIGNATURE_NAME = 1, 3  # Of ModelSpec.
_KEY, _VALUE = 1, 2  # Of an entry of a map.


_SIDE = 64  # Of the images in pixels.
_QUALITY = 50.0
_QP = 37.0
_FACTOR = 8
BATCH_SIZES = (1, 2, 4, 8)  # Tiles in each of the calls that warm up.


def codec_calls(codec: ServingCodec) -> list:
    """Calls of all signatures of a codec but `card`; see `write`."""
    quality = np.float32([_QUALITY])
    file = {"images": _png()[None], "quality": quality}
    coded = codec.compress(**file)
    calls = [
        ("compress", file),
        ("decompress", {"files": coded["files_bytes"].numpy()}),
    ]
    tile = {"images": _pixels(), "crop": np.zeros([1, 4], np.int32), "quality": quality}
    coded = codec.compress_tiles(**tile)
    size = np.int32([_SIDE // LATENT])
    strings = {
        **{name: coded[name].numpy() for name in ("first", "rest")},
        **{"rows": size, "columns": size, "quality": quality},
    }
    y_hat = codec.decode_tiles(**strings)["y_hat"].numpy()
    first = {key: array for key, array in strings.items() if key != "rest"}
    y_first = codec.decode_first_tiles(**first)["y_hat"].numpy()
    preview = {"y_hat": y_first, "quality": quality, "factor": np.int32([_FACTOR])}
    return calls + _in_batches(
        {
            "compress_tiles": tile,
            "decode_tiles": strings,
            "synthesize_tiles": {"y_hat": y_hat, "quality": quality},
            "decode_first_tiles": first,
            "preview_tiles": preview,
        }
    )


def filter_calls(postfilter: ServingFilter) -> list:
    """Calls of all signatures of a filter but `card`; see `write`."""
    qp = np.float32([_QP])
    names = sorted(postfilter.signatures.keys() - {"card"})
    tiles = {name for name in names if name.endswith("_tiles")}
    file, tile = {"images": _png()[None], "qp": qp}, {"images": _pixels(), "qp": qp}
    calls = [(name, file) for name in names if name not in tiles]
    return calls + _in_batches({name: tile for name in sorted(tiles)})


def _in_batches(calls: dict) -> list:
    """Each call, of one element, with each number of elements in `BATCH_SIZES`."""
    return [
        (name, {key: np.repeat(array, size, axis=0) for key, array in arrays.items()})
        for name, arrays in calls.items()
        for size in BATCH_SIZES
    ]


def _pixels() -> np.ndarray:
    """A batch of one image, some of which is detail."""
    count = _SIDE * _SIDE * 3
    return (np.arange(count) ** 2 // 97 % 251).astype(np.uint8).reshape(1, _SIDE, -1, 3)


def _png() -> np.ndarray:
    return np.array(tf.io.encode_png(_pixels()[0]).numpy(), object)


def write(folder: Path, model: str, calls: list) -> None:
    """Writes warm-up requests into an export.

    Args:
        folder: of the export.
        model: name of the model on the server.
        calls: pairs of a signature's name and arrays by the names of its inputs.
    """
    path = Path(folder) / FILE
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, arrays in calls:
            writer.write(prediction_log(model, signature, arrays))


def read(folder: Path) -> Iterator[tuple]:
    """The calls in an export: names of signatures, and tensors by names of inputs.

    This needs tensorflow-serving-api.
    """
    from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

    for record in tf.data.TFRecordDataset(str(Path(folder) / FILE)):
        request = PredictionLog.FromString(record.numpy()).predict_log.request
        arrays = {key: tf.make_ndarray(each) for key, each in request.inputs.items()}
        inputs = {key: tf.constant(array) for key, array in arrays.items()}
        yield request.model_spec.signature_name, inputs


def prediction_log(model: str, signature: str, arrays: dict) -> bytes:
    """A `PredictionLog` with a request to call a signature."""
    spec = _field(_NAME, model.encode()) + _field(_SIGNATURE_NAME, signature.encode())
    request = _field(_MODEL_SPEC, spec)
    for name, array in arrays.items():
        tensor = tf.make_tensor_proto(array).SerializeToString()
        entry = _field(_KEY, name.encode()) + _field(_VALUE, tensor)
        request += _field(_INPUTS, entry)
    return _field(_PREDICT_LOG, _field(_REQUEST, request))


def _field(number: int, data: bytes) -> bytes:
    """A field of a protocol buffer: a string, bytes or a message."""
    return varint(number << 3 | 2) + varint(len(data)) + data
