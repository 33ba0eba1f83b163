import pytest
from hypothesis import given
from hypothesis import strategies as st

from tf_imgcomp.classical.hevc import nal_units
from tf_imgcomp.classical.hevc.bits import BitReader, BitWriter
from tf_imgcomp.classical.hevc.byte_reader import ByteReader, ue7
from tf_imgcomp.errors import ClassicalCodecError


@given(st.lists(st.integers(0, 2**32 - 1)))
def test_ue7_integers_come_back(values):
    reader = ByteReader(b"".join(map(ue7, values)))
    assert [reader.ue7() for _ in values] == values
    assert len(reader) == 0


@given(st.integers(0, 2**32 - 1))
def test_cut_ue7_integers_are_refused(value):
    for length in range(len(ue7(value))):
        with pytest.raises(ClassicalCodecError, match="cut short"):
            ByteReader(ue7(value)[:length]).ue7()


@pytest.mark.parametrize(
    "data",
    [b"\x80\x01", b"\x90\x80\x80\x80\x00", b"\xff\xff\xff\xff\xff\x7f"],
    ids=["longer than needed", "33 bits", "6 bytes"],
)
def test_wrong_ue7_integers_are_refused(data):
    with pytest.raises(ClassicalCodecError, match="an integer is too long"):
        ByteReader(data).ue7()


def test_ue7_examples():
    assert ue7(0) == b"\x00"
    assert ue7(127) == b"\x7f"
    assert ue7(128) == b"\x81\x00"
    assert ue7(301) == b"\x82\x2d"


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 2**32 - 2)), min_size=1))
def test_bits_come_back(values):
    writer = BitWriter()
    for golomb, value in values:
        writer.put_ue(value) if golomb else writer.put(32, value)
    reader = BitReader(writer.to_bytes())
    for golomb, value in values:
        assert (reader.get_ue() if golomb else reader.get(32)) == value


def test_bits_end():
    reader = BitReader(b"\x01")
    with pytest.raises(ClassicalCodecError, match="cut short"):
        reader.get_ue()
    with pytest.raises(ClassicalCodecError, match="an integer in an HEVC header"):
        BitReader(bytes(8)).get_ue()


@given(st.lists(st.sampled_from([0, 1, 2, 3, 4])).map(bytes))
def test_no_start_code_is_left_in_a_header(header):
    unit = nal_units.escape(header + b"\x80")
    for code in (b"\0\0\0", b"\0\0\1", b"\0\0\2"):
        assert code not in unit
    assert nal_units.unescape(unit) == header + b"\x80"


@given(st.lists(st.binary(min_size=1).map(lambda unit: unit + b"\1"), min_size=1))
def test_nal_units_come_back(units):
    units = [nal_units.escape(unit) for unit in units]
    assert nal_units.split(nal_units.join(units)) == units
