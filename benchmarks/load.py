"""Load on a server against the same export in this process.

    python benchmarks/load.py [--model=fdram] [--seconds=60] [PHOTO]

Callers on loopback each compress a photo and decompress the file, again and again:
whole files, signatures `compress` and `decompress`. Calls in this process and requests
to bin/serve with Triton take turns, since the speed of a machine varies over minutes.
For each number of callers, prints the requests a second of both and their ratio, the
smallest and the largest ratio of a turn, and the server's latencies, memory and errors.
"""

import functools
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # No start-up noise.

import measure
import numpy as np
import tensorflow as tf
from absl import app, flags

from tf_imgcomp.client import urls
from tf_imgcomp.errors import ImgcompError
from tf_imgcomp.image_codecs import models
from tf_imgcomp.serving.export import up_to_date

_MODEL = flags.DEFINE_string("model", "fdram", "Id or folder of a learned codec.")
_EXPORTS = flags.DEFINE_string(
    "exports", "~/.cache/tf_imgcomp/serving", "Folder of exports, as of bin/serve."
)
_CONCURRENCY = flags.DEFINE_list("concurrency", ["1", "4", "16"], "Callers.")
_SECONDS = flags.DEFINE_float(
    "seconds", 60.0, "Of load on the server, and as many here, by number of callers."
)
_TURNS = flags.DEFINE_integer("turns", 4, "Turns that share these seconds.", 1)
_QUALITY = flags.DEFINE_float("quality", 50.0, "Quality.")

GRPC_PORT, HTTP_PORT, METRICS_PORT = 18500, 18501, 18502
MEGABYTE = 1e6
COLUMNS = [
    *("callers", "requests/s here", "requests/s on Triton", "ratio", "of turns"),
    *("p50, ms", "p90", "p99", "longest"),
    *("requests", "errors", "MB before", "MB after"),
]


class Load:
    """Callers that make requests one after the other.

    Args:
        call: a function of a signature and its inputs.
        photo: bytes of a PNG or JPEG file.

    Attributes:
        seconds: of each request.
        errors: what went wrong, by its message.
        rates: requests a second of each run.
    """

    def __init__(self, call: Callable, photo: bytes):
        self._call, self._photo = call, photo
        self.seconds, self.errors, self.rates = [], [], []

    def run(self, callers: int, seconds: float) -> None:
        start, before = time.perf_counter(), len(self.seconds)
        end = start + seconds
        threads = [
            threading.Thread(target=self._requests, args=(end,)) for _ in range(callers)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        count = len(self.seconds) - before
        self.rates.append(count / (time.perf_counter() - start))

    def _requests(self, end: float) -> None:
        images = np.array([self._photo], object)
        quality = np.array([_QUALITY.value], np.float32)
        while time.perf_counter() < end:
            coded = self._timed("compress", images=images, quality=quality)
            if coded:
                self._timed("decompress", files=coded["files_bytes"])

    def _timed(self, signature: str, **inputs: np.ndarray) -> dict:
        start = time.perf_counter()
        try:
            outputs = self._call(signature, **inputs)
        except ImgcompError as error:
            self.errors.append(str(error))
            return {}
        self.seconds.append(time.perf_counter() - start)
        if outputs["error"][0]:
            self.errors.append(outputs["error"][0].decode())
        return outputs


def local_calls(export: Path) -> Callable:
    """The signatures of an export, in this process."""
    signatures = tf.saved_model.load(str(export)).signatures

    def call(signature: str, **inputs: np.ndarray) -> dict:
        tensors = {name: tf.constant(array) for name, array in inputs.items()}
        outputs = signatures[signature](**tensors)
        return {name: tensor.numpy() for name, tensor in outputs.items()}

    return call


def start_server(exports: Path) -> subprocess.Popen:
    """Starts bin/serve and waits until it is ready."""
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "tf_imgcomp_bin.serve"),
            *(f"--models={models.find(_MODEL.value)}", f"--exports={exports}"),
            *(f"--grpc_port={GRPC_PORT}", f"--http_port={HTTP_PORT}"),
            f"--metrics_port={METRICS_PORT}",
        ],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    for line in server.stdout:
        if "ready at" in line:
            threading.Thread(target=server.stdout.read, daemon=True).start()
            return server
    raise SystemExit("bin/serve does not start")


def main(argv: list[str]) -> None:
    exports = Path(_EXPORTS.value).expanduser()
    export = up_to_date(models.find(_MODEL.value), exports)
    photo = Path(argv[1] if len(argv) > 1 else measure.EXAMPLE).read_bytes()
    name, here = export.parent.name, local_calls(export)
    server = start_server(exports)
    try:
        connection = urls.connect(f"kserve://127.0.0.1:{GRPC_PORT}")
        there = functools.partial(connection.call, name)
        for call in (here, there):
            Load(call, photo).run(2, 1.0)  # What is compiled once, is now.
        print("measuring", flush=True)
        print("\n| " + " | ".join(COLUMNS) + " |\n" + "|---" * len(COLUMNS) + "|")
        for callers in map(int, _CONCURRENCY.value):
            loads = Load(here, photo), Load(there, photo)
            before = measure.memory_of_session(server.pid)
            for number in range(_TURNS.value):
                for load in loads[:: (-1) ** number]:
                    load.run(callers, _SECONDS.value / _TURNS.value)
            after = measure.memory_of_session(server.pid)
            rates = np.array([load.rates for load in loads])
            rate_here, rate = rates.mean(axis=1)
            ratios, load = rates[1] / rates[0], loads[1]
            milliseconds = 1000 * np.percentile(load.seconds, [50, 90, 99, 100])
            cells = [
                *(callers, f"{rate_here:.2f}", f"{rate:.2f}"),
                *(f"{rate / rate_here:.2f}", f"{min(ratios):.2f}, {max(ratios):.2f}"),
                *(f"{each:.0f}" for each in milliseconds),
                *(len(load.seconds), len(load.errors)),
                *(f"{size / MEGABYTE:.0f}" for size in (before, after)),
            ]
            print("| " + " | ".join(map(str, cells)) + " |", flush=True)
            for error in sorted(set(load.errors)):
                print(f"error: {error}")
        print("measured", flush=True)
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    app.run(main)
