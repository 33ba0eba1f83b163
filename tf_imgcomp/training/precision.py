"""Chooses the precision that trains fastest on this machine."""

from pathlib import Path

import tensorflow as tf

PRECISIONS = ("float32", "bfloat16")

_BFLOAT16_FLAGS = {"amx_bf16", "avx512_bf16"}  # Of processors, as Linux names them.
_BFLOAT16_CAPABILITY = (8, 0)  # Of NVIDIA GPUs: Ampere, the first with bfloat16.
CPUINFO = Path("/proc/cpuinfo")


def fastest_precision(cpuinfo: Path = CPUINFO) -> tuple:
    """The precision of the transforms that is fastest here, and why.

    Where bfloat16 is not multiplied by the hardware it is emulated, at a tenth of the
    speed of float32 (measured).

    Args:
        cpuinfo: file in which Linux lists the features of processors.

    Returns:
        One of `PRECISIONS`, and a phrase for a log.
    """
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        details = tf.config.experimental.get_device_details(gpus[0])
        capability = details.get("compute_capability", (0, 0))
        reason = f"the GPU has compute capability {'.'.join(map(str, capability))}"
        has_bfloat16 = capability >= _BFLOAT16_CAPABILITY
        return "bfloat16" if has_bfloat16 else "float32", reason
    found = sorted(_processor_flags(cpuinfo) & _BFLOAT16_FLAGS)
    if found:
        return "bfloat16", f"the processor has {' and '.join(found)}"
    return "float32", "the processor does not multiply bfloat16"


def _processor_flags(cpuinfo: Path) -> set:
    """Features of the first processor; none where Linux does not list them."""
    if not cpuinfo.exists():
        return set()
    for line in cpuinfo.read_text().splitlines():
        if line.startswith("flags"):
            return set(line.partition(":")[2].split())
    return set()
