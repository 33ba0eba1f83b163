"""The precision that `auto` takes."""

import pytest
import tensorflow as tf

from tf_imgcomp.training.precision import fastest_precision


@pytest.fixture
def processor(tmp_path, monkeypatch):
    """Gives the list of features of a processor; this machine has no GPU then."""
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])

    def pretend(features):
        cpuinfo = tmp_path / "cpuinfo"
        cpuinfo.write_text(f"processor : 0\nflags\t\t: fpu {features} sse\n")
        return cpuinfo

    return pretend


@pytest.mark.parametrize("feature", ["amx_bf16", "avx512_bf16"])
def test_a_processor_with_bfloat16_takes_it(processor, feature):
    cpuinfo = processor(f"avx512f {feature}")
    assert fastest_precision(cpuinfo) == (
        "bfloat16",
        f"the processor has {feature}",
    )


def test_others_take_float32(processor):
    chosen, reason = fastest_precision(processor("avx512f avx512_vnni"))
    assert chosen == "float32"
    assert reason == "the processor does not multiply bfloat16"


def test_a_system_that_does_not_tell_takes_float32(processor):
    cpuinfo = processor("avx512_bf16")
    cpuinfo.unlink()
    assert fastest_precision(cpuinfo)[0] == "float32"
