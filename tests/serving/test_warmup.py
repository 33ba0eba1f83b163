"""Warm-up requests of an export."""

import numpy as np
import pytest
import tensorflow as tf

from tf_imgcomp.serving import warmup


def test_requests_are_those_of_tensorflow_serving():
    apis = pytest.importorskip("tensorflow_serving.apis.prediction_log_pb2")
    crop = np.arange(4, dtype=np.int32)[None]
    log = warmup.prediction_log("fdram", "compress_tiles", {"crop": crop})
    request = apis.PredictionLog.FromString(log).predict_log.request
    spec = request.model_spec
    assert (spec.name, spec.signature_name) == ("fdram", "compress_tiles")
    np.testing.assert_array_equal(tf.make_ndarray(request.inputs["crop"]), crop)


@pytest.mark.slow
def test_an_export_has_requests_for_each_signature(serving_folder):
    records = list(tf.data.TFRecordDataset(str(serving_folder / warmup.FILE)))
    assert len(records) == 2 + 5 * len(warmup.BATCH_SIZES)
    for name in ("compress", "decompress", "decode_tiles", "preview_tiles"):
        assert any(name.encode() in record.numpy() for record in records)
