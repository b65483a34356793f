"""Line devices: the parts that no other protocol has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.readers.rig import START_S, Rig, bad_of, byte_by_byte, heard, reads_of
from trace_core.errors import ConfigError, IdentifierError
from trace_core.ids import gs1
from trace_core.ids.digital_link import parse
from trace_core.readers._base import CodeRead, DeviceEvent, FieldTag, HostOutput, Send, TagRead
from trace_core.readers.scanner import PROTOCOL
from trace_core.readers.scanner.codes import GS, elements, read_code
from trace_core.readers.scanner.device import ScannerDevice
from trace_core.readers.scanner.host import MAX_LINE, ScannerHost
from trace_core.readers.scanner.records import record_line

GTIN = "09506000134352"
TAG = FieldTag(bytes.fromhex("3034B75F19600021F0138250"), rssi_dbm=-55.0)
LABEL = FieldTag(TAG.epc, code=f"]d201{GTIN}10ABC{GS}2112345")
UNCHECKED = {"unchecked": True}
text_82 = st.text(st.sampled_from(gs1.CHARSET_82), min_size=1, max_size=20)


def hear(line: bytes | str, **options: object) -> list[HostOutput]:
    return heard(PROTOCOL.host(options), [line.encode() if isinstance(line, str) else line])


def codes_of(outputs: list[HostOutput]) -> list[CodeRead]:
    return [output for output in outputs if isinstance(output, CodeRead)]


def reasons(outputs: list[HostOutput]) -> list[str]:
    return [bad.reason for bad in bad_of(outputs)]


@given(lot=text_82, serial=text_82, closing=st.booleans())
def test_any_lot_and_serial_come_back_from_their_element_string(lot: str, serial: str, closing: bool) -> None:
    text = f"01{GTIN}10{lot}{GS}21{serial}" + GS * closing
    assert elements(text) == (("01", GTIN), ("10", lot), ("21", serial))
    (read,) = codes_of(hear(f"]d2{text}\r"))
    assert read.text == text
    assert read.uri is not None
    assert (parse(read.uri).value("10"), parse(read.uri).value("21")) == (lot, serial)


def test_qualifiers_stand_in_the_order_of_the_standard_and_the_rest_in_the_query() -> None:
    read = read_code(f"21123{GS}17261231{GS}01{GTIN}10A{GS}3103001500", "]C1")
    assert read.uri == f"https://id.gs1.org/01/{GTIN}/10/A/21/123?17=261231&3103=001500"


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        ("00106141412345678908", "https://id.gs1.org/00/106141412345678908"),
        (f"02{GTIN}3712", None),
        ("99TESTING", None),
    ],
)
def test_an_element_string_without_an_object_is_a_code_without_a_uri(text: str, uri: str | None) -> None:
    assert read_code(text, "]C1").uri == uri


@pytest.mark.parametrize(
    "text",
    [
        "",
        "01",
        f"01{GTIN[:-1]}3",
        f"01{GTIN}10",
        f"01{GTIN}1726123",
        f"01{GTIN}17269999",
        f"01{GTIN}10A{GS}10B",
        f"01{GTIN}10A~B",
        "88123",
        f"{GS}01{GTIN}",
        "".join(f"{ai}A{GS}" for ai in range(91, 100)) + "9",
    ],
)
def test_an_element_string_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(IdentifierError):
        read_code(text, "]d2")
    assert reasons(hear(f"]d2{text}\r")) == ["code"]


def test_an_ean_has_its_digits_and_its_check_digit() -> None:
    assert read_code("96385074", "]E4").uri == "https://id.gs1.org/01/00000096385074"
    for text, symbology in (("2112345678900", "]E4"), ("211234567890", "]E0"), ("96385075", "]E4")):
        with pytest.raises(IdentifierError):
            read_code(text, symbology)


def test_other_symbols_are_text_and_a_digital_link_in_them_is_found() -> None:
    (read,) = codes_of(hear(f"]Q1HTTPS://example.cn/01/{GTIN}/21/7?17=261231&s=abc\r"))
    assert read.uri == f"https://id.gs1.org/01/{GTIN}/21/7?17=261231"
    assert read.text.endswith("&s=abc")
    assert codes_of(hear("]Q1https://example.cn/\r")) == [CodeRead("https://example.cn/", "]Q1")]
    assert codes_of(hear("]C0PALLET 12\r")) == [CodeRead("PALLET 12", "]C0")]


def test_chinese_text_is_read_in_the_encoding_that_is_set_and_never_guessed() -> None:
    for encoding in ("utf-8", "gb18030"):
        line = b"]Q1" + "溯源".encode(encoding) + b"\r"
        assert codes_of(hear(line, encoding=encoding)) == [CodeRead("溯源", "]Q1")]
    assert not codes_of(hear(b"]Q1" + "溯源".encode("gb18030") + b"\r"))


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\r\n\x03"])
def test_any_terminator_ends_a_line(end: str) -> None:
    begin = "\x02" if "\x03" in end else ""
    outputs = hear(f"{begin}]C0A{end}{begin}]C0B{end}")
    assert [read.text for read in codes_of(outputs)] == ["A", "B"]
    assert not bad_of(outputs)


def test_a_pause_ends_a_line_only_where_the_operator_says_so() -> None:
    assert reasons(hear("]C0A")) == ["partial"]
    assert codes_of(hear("]C0A", gap_ends_line=True)) == [CodeRead("A", "]C0")]


def test_codes_without_an_identifier_are_text_only_where_the_operator_says_so() -> None:
    assert reasons(hear(f"01{GTIN}\r")) == ["no_symbology"]
    assert codes_of(hear(f"01{GTIN}\r", bare=True)) == [CodeRead(f"01{GTIN}")]
    assert reasons(hear(b"A\xffB\r", bare=True)) == ["no_symbology"]


def test_control_characters_are_damage() -> None:
    assert reasons(hear("]C0A\x00B\r")) == ["control"]


def test_a_line_without_end_is_given_up_in_pieces() -> None:
    outputs = hear("]C0" + "A" * (3 * MAX_LINE) + "\r]C0B\r")
    assert set(reasons(outputs)) >= {"too_long"}
    assert [read.text for read in codes_of(outputs)] == ["B"]


@given(words=st.integers(2, 31), rssi=st.integers(-99, 0), antenna=st.integers(1, 99), data=st.data())
def test_any_tag_comes_back_from_its_record(words: int, rssi: int, antenna: int, data: st.DataObject) -> None:
    epc = data.draw(st.binary(min_size=2 * words, max_size=2 * words))
    line = record_line(FieldTag(epc, antenna=antenna, rssi_dbm=rssi))
    for spelling in (line, line.lower(), line.replace(",", ", ")):
        assert reads_of(hear(spelling + "\r")) == [TagRead(epc, antenna, float(rssi))]


def test_a_record_behind_a_line_that_lost_its_end_is_read() -> None:
    outputs = hear("EPC:3034B7,PC" + record_line(TAG) + "\r")
    assert [read.epc for read in reads_of(outputs)] == [TAG.epc]
    assert bad_of(outputs)[0].data == b"EPC:3034B7,PC"


@pytest.mark.parametrize(
    ("line", "options", "reason"),
    [
        (f"EPC:{TAG.epc.hex()},RSSI:-55", {}, "unchecked"),
        (TAG.epc.hex(), {}, "no_symbology"),
        (f"EPC:{TAG.epc.hex()},PC:3000,CRC:0000", UNCHECKED, "tag_crc"),
        (f"EPC:{TAG.epc.hex()},PC:2800,CRC:0000", UNCHECKED, "pc_length"),
        (TAG.epc.hex()[:-2], UNCHECKED, "epc_length"),
        ('{"epc":"xyz"}', UNCHECKED, "not_hex"),
        ('{"epc":12}', UNCHECKED, "no_epc"),
        ('{"epc":"3034B75F","peakRssi":NaN}', UNCHECKED, "rssi"),
        ('{"epc":"3034B75F","peakRssi":"loud"}', UNCHECKED, "rssi"),
        ('{"epc":"3034B75F","firstSeenTimestamp":"noon"}', UNCHECKED, "time"),
        ("[1]", UNCHECKED, "no_symbology"),
    ],
)
def test_a_record_that_cannot_be_trusted_is_refused_with_its_reason(
    line: str, options: dict[str, object], reason: str
) -> None:
    outputs = hear(line + "\r", **options)
    assert not reads_of(outputs)
    assert reasons(outputs) == [reason]


def test_a_time_without_a_zone_is_no_time() -> None:
    (read,) = reads_of(hear('{"epc":"3034B75F","firstSeenTimestamp":"2018-06-14T00:15:54"}\r', **UNCHECKED))
    assert read.reader_time is None


def test_an_operators_pattern_is_used() -> None:
    pattern = r"tag (?P<epc>[0-9A-F]+) at (?P<antenna>\d+)"
    outputs = hear(f"tag {TAG.epc.hex()} at 3\r", pattern=pattern, **UNCHECKED)
    assert reads_of(outputs) == [TagRead(TAG.epc, 3)]


def test_silence_is_told_by_missing_heartbeats_or_by_the_operators_limit() -> None:
    quiet = PROTOCOL.host({})
    assert heard(quiet, [b"]C0A\r"])
    assert not quiet.tick(START_S + 3_600)
    for options in ({"silence_s": 60}, {"silence_s": 60, "start_command": "1\r"}):
        session = PROTOCOL.host(options)
        heard(session, [b"]C0A\r"])
        assert not session.tick(START_S + 59)
        told = session.tick(START_S + 61)
        assert isinstance(told[0], DeviceEvent)
        assert told[1:] == ([Send(b"1\r")] if "start_command" in options else [])


def test_noise_and_never_a_line_is_silence_told_once() -> None:
    session = PROTOCOL.host({})
    session.start(START_S)
    session.receive(b"\x80\x91\r\xfe", START_S + 1)
    assert not session.tick(START_S + 1)
    assert [o for o in session.tick(START_S + 4.1) if isinstance(o, DeviceEvent)]
    session.receive(b"\x80\r", START_S + 9)
    assert not [o for o in session.tick(START_S + 20) if isinstance(o, DeviceEvent)]
    assert isinstance(session.receive(b"]C0A\r", START_S + 21)[0], DeviceEvent)


@pytest.mark.parametrize("lines", ["record", "hex", "json"])
@pytest.mark.parametrize("terminator", ["CR", "LF", "CRLF", "STX"])
def test_every_kind_of_line_of_the_simulated_reader_is_read(lines: str, terminator: str) -> None:
    rig = Rig(PROTOCOL, host=UNCHECKED, device={"lines": lines, "terminator": terminator}, out=byte_by_byte)
    rig.tags = [TAG]
    rig.run(2.0)
    assert rig.epcs() == {TAG.epc}
    assert rig.states() == ["online"]
    assert not rig.bad


def test_a_label_is_scanned_when_it_comes_and_again_while_it_stays() -> None:
    rig = Rig(PROTOCOL, host={"reader": "till 3"}, device={"repeat_ms": 1_000})
    rig.tags = [LABEL]
    rig.run(0.05)
    assert [code.uri for code in rig.codes] == [f"https://id.gs1.org/01/{GTIN}/10/ABC/21/12345"]
    assert rig.codes[0].reader == "till 3"
    assert not rig.reads
    rig.run(3.0)
    assert len(rig.codes) == 4
    rig.tags = []
    rig.run(0.05)
    rig.tags = [LABEL]
    rig.run(0.05)
    assert len(rig.codes) == 5


def test_a_reader_that_waits_is_started_and_stopped() -> None:
    rig = Rig(PROTOCOL, host={"start_command": "1\r"}, device={"waits_for_start": True})
    rig.tags = [TAG]
    assert rig.run(1.0).reads
    waiting = Rig(PROTOCOL, device={"waits_for_start": True})
    waiting.tags = [TAG]
    assert not waiting.run(1.0).reads
    session = ScannerDevice.from_options({})
    session.receive(b"0", START_S)
    session.receive(b"\r", START_S + 0.1)
    assert not session.tick(START_S + 1, [TAG])
    session.receive(b"1", START_S + 1)
    session.receive(b"\r", START_S + 9)
    assert not session.tick(START_S + 9, [TAG])


@pytest.mark.parametrize(
    "options",
    [
        {"encoding": "latin-1"},
        {"bare": 1},
        {"unchecked": "yes"},
        {"gap_ends_line": 0},
        {"pattern": "("},
        {"pattern": "(?P<tag>.*)"},
        {"pattern": "(?P<epc>.*)(?P<colour>.*)"},
        {"pattern": 7},
        {"start_command": "é"},
        {"silence_s": -1},
        {"reader": 3},
    ],
)
def test_a_wrong_host_option_is_refused_with_its_name(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError) as caught:
        ScannerHost.from_options(options)
    assert caught.value.where in options


@pytest.mark.parametrize("options", [{"lines": "xml"}, {"terminator": "TAB"}, {"repeat_ms": 0}, {"waits_for_start": 1}])
def test_a_wrong_device_option_is_refused_with_its_name(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError) as caught:
        ScannerDevice.from_options(options)
    assert caught.value.where in options
