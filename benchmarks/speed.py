"""Measures what entropy coding of an exported codec costs: time, memory, start-up.

    python benchmarks/speed.py [--model=FOLDER] [--threads=1] [PHOTO]

Codes at the quality that reaches `--bpp` and prints

- the times of `compress` and `decompress` relative to their networks alone: the
  signatures `analysis`, with the hyper analysis, and `synthesis`, and the integer
  networks from z to the parameters of all mixtures;
- the time of coding all symbols each way, and its parts;
- the seconds and the peak memory of bin/compress and bin/decompress as processes, and
  how much of them is the import of TensorFlow.

Times are medians of runs in turns, wall time or, with --cpu, CPU time of all threads.
About a minute on two cores.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # No start-up noise.

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import measure
import numpy as np
import tensorflow as tf
from absl import app, flags
from estimation import WHOLE, KnownLatents, code_parts, has_optional_slice

from tf_imgcomp import metrics
from tf_imgcomp.entropy import passes
from tf_imgcomp.entropy_coding import range_coder, symbol_streams
from tf_imgcomp.entropy_coding.symbol_coding import plan
from tf_imgcomp.export.codec import CodecModule
from tf_imgcomp.files import goals
from tf_imgcomp.image_codecs import models
from tf_imgcomp.image_files.images import Photo, read_image
from tf_imgcomp.runs.keras_models import load_trained

_MODEL = flags.DEFINE_string(
    "model", str(measure.ROOT / "saved_models" / models.DEFAULT), "Folder of a codec."
)
_BPP = flags.DEFINE_float("bpp", 0.5, "Bits per pixel at which to measure.")
_RUNS = flags.DEFINE_integer("runs", 15, "Runs of each function.")
_THREADS = flags.DEFINE_integer("threads", None, "Of TensorFlow; None: all cores.")
_CPU = flags.DEFINE_bool("cpu", False, "Print CPU time, where the cores are shared.")
_PROCESSES = flags.DEFINE_integer("processes", 3, "Runs of each process; may be 0.")

IMPORT = "import tensorflow"
# Runs a command and prints its seconds and peak KiB. A child starts out with its
# parent's peak, so that the parent has to be small.
MONITOR = """
import resource, subprocess, sys, time
start = time.perf_counter()
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
seconds = time.perf_counter() - start
print(seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def networks(coder, z_hat: tf.Tensor, y_hat: tf.Tensor, rate: tf.Tensor, count) -> list:
    """Mixture parameters of `count` slices; `coder` computes in floats or integers."""
    known = KnownLatents(coder.config, y_hat)
    psi = coder.run_hyper_synthesis(z_hat, rate)
    passes.run_passes(coder.config.context, coder.slices[:count], psi, known)
    return list(known.parameters.values())


def range_coding(coder, z_hat: tf.Tensor, y_hat: tf.Tensor, hundredths) -> tuple:
    """Functions that run the range coder alone, each way; without z."""
    coded, rows = [], coder.tables.read()

    def keep(_, parameters, values):
        positions, elements, _ = plan(rows, parameters)
        offsets = tf.gather(values, positions) - elements.centres
        reach = elements.half_widths
        symbols = tf.clip_by_value(offsets, -reach, reach) + reach
        coded.append((elements.numbers, tf.cast(symbols, tf.int32)))
        return None, values

    code_parts(coder, y_hat, z_hat, hundredths, None, keep)

    @tf.function
    def encode():
        log = symbol_streams.new_log()
        for numbers, symbols in coded:
            log = symbol_streams.put(log, numbers, symbols)
        return symbol_streams.write(log, rows.table, range_coder)

    strings = encode()

    @tf.function
    def decode():
        reader = symbol_streams.SymbolReader(range_coder.reader(rows.table, strings))
        symbols = []
        for numbers, _ in coded:
            reader, mine = reader.get(numbers)
            symbols.append(mine)
        return symbols

    count = sum(int(tf.size(numbers)) for numbers, _ in coded)
    return encode, decode, count / int(tf.size(y_hat))


def time_parts(pixels: np.ndarray) -> None:
    """Prints the time of compress, decompress and their parts."""
    saved = models.load(_MODEL.value)
    goal = goals.Goal(target_bpp=_BPP.value)
    encoded_photo = goals.encode(saved, Photo(pixels), goal)
    file = encoded_photo.file
    quality = tf.constant(file.quality, tf.float32)
    hundredths = tf.constant(round(file.quality * 100), tf.int64)
    codec = load_trained(Path(_MODEL.value))
    # The functions of the SavedModel, which can be timed one by one here.
    module = CodecModule(codec)
    latents = module.analysis(pixels, WHOLE, hundredths)
    y, z = latents["y"], latents["z"]
    shape = tf.shape(z)[1:3]
    encode = tf.function(lambda: module.coder.encode(y, z, hundredths))
    encoded = encode()

    @tf.function
    def decode():
        first, rest = map(symbol_streams.TileStrings, encoded[:2])
        size, qualities = tf.unstack(shape), hundredths[None]
        psi, part = module.coder.decode_first(first, *size, qualities)
        return module.coder.decode_rest(rest, psi, part.y_hat, qualities)

    y_hat, z_hat = encoded.y_hat, tf.floor(z + 0.5)
    rate, config = codec.rate_features(quality[None]), module.coder.config
    left_out = config.optional_slice and not bool(has_optional_slice(config, y_hat))
    slices = len(config.slices) - left_out
    range_encode, range_decode, share = range_coding(
        module.coder, z_hat, y_hat, hundredths
    )
    seconds = measure.median_seconds(
        {
            "compress": lambda: saved.compress(pixels, file.quality),
            "decompress": lambda: saved.from_file(file),
            "analysis": lambda: module.analysis(pixels, WHOLE, hundredths),
            "synthesis": lambda: module.synthesis(y_hat, WHOLE, hundredths),
            "float networks": tf.function(
                lambda: networks(codec.latent_coder, z_hat, y_hat, rate, slices)
            ),
            "integer networks": tf.function(
                lambda: networks(module.coder, z_hat, y_hat, rate, slices)
            ),
            "encode symbols": encode,
            "decode symbols": decode,
            "range encoder": range_encode,
            "range decoder": range_decode,
        },
        _RUNS.value,
        time.process_time if _CPU.value else time.perf_counter,
    )
    print(
        f"{file.width}x{file.height}, quality {file.quality}, "
        f"{metrics.bpp(len(encoded_photo.data), file.height, file.width):.3f} bpp, "
        f"{share:.0%} of the latents coded\n\n| ms | |\n|---|---|"
    )
    for name, value in seconds.items():
        print(f"| {name} | {1e3 * value:.1f} |")
    for way in ("en", "de"):
        parts = seconds["integer networks"] + seconds[f"range {way}coder"]
        rest = seconds[f"{way}code symbols"] - parts
        print(f"| mixtures, tables and the rest of {way}coding | {1e3 * rest:.1f} |")
    for whole, transform in (("compress", "analysis"), ("decompress", "synthesis")):
        ratio = seconds[whole] / (seconds[transform] + seconds["integer networks"])
        print(f"\n{whole} / ({transform} + integer networks) = {ratio:.2f}")


def run(command: list[str]) -> tuple[float, float]:
    """Median seconds and peak MiB of a process, with this Python's environment."""
    monitor = [sys.executable, "-c", MONITOR, *command]
    environment = {**os.environ, "VIRTUAL_ENV": sys.prefix}
    printed = [
        subprocess.run(
            monitor, stdout=subprocess.PIPE, check=True, env=environment
        ).stdout.split()
        for _ in range(_PROCESSES.value)
    ]
    seconds, kib = np.median(np.array(printed, float), axis=0)
    return seconds, kib / 1024


def run_program(name: str, source: str, target: str) -> tuple[float, float]:
    """Median seconds and peak MiB of a program that makes `target` from `source`."""
    program = str(measure.ROOT / "bin" / name)
    model, output = f"--model={_MODEL.value}", f"--output={target}"
    return run([program, model, output, "--overwrite", source])


def measure_processes(photo: str) -> None:
    """Prints seconds and peak memory of the programs on one photo."""
    with tempfile.TemporaryDirectory() as folder:
        packed, image = f"{folder}/photo.tfci", f"{folder}/photo.png"
        results = {
            IMPORT: run([sys.executable, "-I", "-c", IMPORT]),
            "bin/compress": run_program("compress", photo, packed),
            "bin/decompress": run_program("decompress", packed, image),
        }
    seconds, peak = results[IMPORT]
    print("\n| process | s | beyond import | peak MiB | beyond import |")
    print("|---|---|---|---|---|")
    for name, (s, mib) in results.items():
        print(
            f"| {name} | {s:.2f} | {s - seconds:.2f} | {mib:.0f} | {mib - peak:.0f} |"
        )


def main(argv: list[str]) -> None:
    if _THREADS.value:
        tf.config.threading.set_intra_op_parallelism_threads(_THREADS.value)
        tf.config.threading.set_inter_op_parallelism_threads(_THREADS.value)
    photo = argv[1] if len(argv) > 1 else str(measure.EXAMPLE)
    time_parts(read_image(photo).pixels)
    if _PROCESSES.value:
        measure_processes(photo)


if __name__ == "__main__":
    app.run(main)
