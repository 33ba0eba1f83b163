"""The precision that `auto` takes."""

import pytest

from tf_imgcomp.training import precision


@pytest.fixture
def processor(tmp_path, monkeypatch):
    """Makes this machine one with a processor of these features and no GPU."""

    def pretend(features):
        cpuinfo = tmp_path / "cpuinfo"
        cpuinfo.write_text(f"processor : 0\nflags\t\t: fpu {features} sse\n")
        monkeypatch.setattr(precision, "_CPUINFO", cpuinfo)
        monkeypatch.setattr(
            precision.tf.config, "list_physical_devices", lambda kind: []
        )

    return pretend


@pytest.mark.parametrize("feature", ["amx_bf16", "avx512_bf16"])
def test_a_processor_with_bfloat16_takes_it(processor, feature):
    processor(f"avx512f {feature}")
    assert precision.fastest_precision() == (
        "bfloat16",
        f"the processor has {feature}",
    )


def test_others_take_float32(processor):
    processor("avx512f avx512_vnni")
    chosen, reason = precision.fastest_precision()
    assert chosen == "float32"
    assert reason == "the processor does not multiply bfloat16"


def test_a_system_that_does_not_tell_takes_float32(processor, tmp_path):
    processor("avx512_bf16")
    (tmp_path / "cpuinfo").unlink()
    assert precision.fastest_precision()[0] == "float32"
