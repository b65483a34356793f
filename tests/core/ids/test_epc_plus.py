"""Tags of TDS 2: element strings instead of URNs, hosts of brands, and data behind the identifier."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.core.ids.epc_strategies import HOSTS, characters, plus_tags
from trace_core.errors import IdentifierError
from trace_core.ids import digital_link, epc
from trace_core.ids.canonical import canonical_uri
from trace_core.ids.epc import PlusEpc
from trace_core.ids.epc.bits import BitReader, BitWriter
from trace_core.ids.epc.characters import read_text, write_text
from trace_core.ids.epc.hostname import read_hostname, write_hostname
from trace_core.ids.epc.plus import PLUS_SCHEMES, PlusScheme

SGTIN = bytes.fromhex("F73795211411234538566CB0AFC4")
BRANDED = bytes.fromhex("FD3795211411234538566CB0AFC525065F1876F0D996D800")
HEADERS = [scheme.header for scheme in PLUS_SCHEMES]
TEXT_20 = "%&/()=?\"'!*+;:_.-,<>"
"""Twenty characters that only 7 bits each can write."""

LARGEST = {
    "00": "999999999999999995",
    "01": "99999999999997",
    "21": TEXT_20,
    "253": "9999999999994" + TEXT_20[:17],
    "254": TEXT_20,
    "255": "9999999999994" + "9" * 12,
    "414": "9999999999994",
    "8003": "09999999999994" + TEXT_20[:16],
    "8004": "9999" + TEXT_20 + TEXT_20[:6],
    "8006": "999999999999979999",
    "8010": "9999" + "#" * 26,
    "8011": "9" * 12,
    "8017": "999999999999999995",
    "8018": "999999999999999995",
}


def link_of(scheme: PlusScheme, values: dict[str, str], host: str) -> str:
    return f"https://{host}" + "".join(f"/{ai}/{digital_link.escape(values[ai])}" for ai in scheme.ais)


@pytest.mark.parametrize("scheme", PLUS_SCHEMES, ids=lambda scheme: scheme.name)
@settings(max_examples=40)
@given(st.data())
def test_every_tag_survives_its_bits(scheme: PlusScheme, data: st.DataObject) -> None:
    tag = data.draw(plus_tags(scheme))
    try:
        memory = epc.encode(tag)
    except IdentifierError as error:
        assert "takes more than 62 bytes" in str(error)
        return
    assert (memory[0], len(memory) % 2) == (scheme.header, 0)
    assert epc.decode(memory) == tag
    assert epc.decode(memory + bytes(4)) == tag
    assert tag.tag_uri is None


@pytest.mark.parametrize("scheme", PLUS_SCHEMES, ids=lambda scheme: scheme.name)
def test_the_largest_values_fit_and_one_character_more_does_not(scheme: PlusScheme) -> None:
    host = "id.gs1.org" if not scheme.has_host else "ab-cd.ef-gh.com"
    date = ("7007", "991231") if scheme.is_dated else None
    tag = PlusEpc(scheme.name, 7, link_of(scheme, LARGEST, host), date)
    assert epc.decode(epc.encode(tag)) == tag
    longer = {**LARGEST, scheme.ais[-1]: LARGEST[scheme.ais[-1]] + "9"}
    with pytest.raises(IdentifierError):
        epc.encode(replace(tag, uri=link_of(scheme, longer, host)))


@settings(max_examples=300)
@given(plus_tags(most=0))
def test_the_link_of_a_tag_is_valid_and_names_one_object_on_any_host(tag: PlusEpc) -> None:
    link = digital_link.parse(str(tag.digital_link))
    assert link.build(f"https://{tag.hostname}") == tag.digital_link
    assert link.attributes == (() if tag.date is None else (tag.date,))
    canonical = canonical_uri(tag.uri)
    assert canonical == canonical_uri(str(tag.digital_link)) == canonical_uri(canonical)
    assert canonical.startswith("https://id.gs1.org/")
    assert digital_link.parse(canonical).primary == link.primary
    memory = epc.encode_link(str(tag.digital_link), tag.scheme, filter_value=tag.filter or 0)
    assert epc.decode(memory) == tag


@settings(max_examples=600)
@given(st.sampled_from(HEADERS), st.binary(min_size=1, max_size=64))
@example(0xF7, SGTIN[1:])
@example(0xFD, BRANDED[1:])
@example(0xF9, bytes(62))
@example(0xF9, b"\x80" + bytes(8) + b"\x00\x00\x01")
def test_any_bytes_behind_a_header_are_decoded_or_refused(header: int, rest: bytes) -> None:
    assert_decoded_or_refused(bytes([header]) + rest)


@settings(max_examples=400)
@given(plus_tags(), st.data())
def test_a_tag_with_changed_bits_and_any_tail_is_decoded_or_refused(tag: PlusEpc, data: st.DataObject) -> None:
    try:
        memory = bytearray(epc.encode(tag))
    except IdentifierError:
        memory = bytearray(SGTIN)
    memory[1] |= data.draw(st.sampled_from((0, 0x80)))
    memory += data.draw(st.binary(max_size=12))
    bit = data.draw(st.integers(0, 8 * len(memory) - 1))
    memory[bit // 8] ^= data.draw(st.sampled_from((0, 0x80))) >> bit % 8
    assert_decoded_or_refused(bytes(memory))


@settings(max_examples=100)
@given(plus_tags(most=0))
def test_a_cut_identifier_is_refused(tag: PlusEpc) -> None:
    try:
        memory = epc.encode(tag).rstrip(b"\0")
    except IdentifierError:
        memory = BRANDED.rstrip(b"\0")
    for length in range(1, len(memory)):
        with pytest.raises(IdentifierError):
            epc.decode(memory[:length])


@settings(max_examples=100)
@given(plus_tags())
def test_cut_data_never_make_another_identifier_or_other_data(tag: PlusEpc) -> None:
    try:
        memory = epc.encode(tag)
    except IdentifierError:
        tag, memory = plus(BRANDED), BRANDED
    for length in range(1, len(memory)):
        try:
            cut = epc.decode(memory[:length])
        except IdentifierError:
            continue
        assert isinstance(cut, PlusEpc)
        assert (cut.uri, cut.filter, cut.date) == (tag.uri, tag.filter, tag.date)
        assert cut.data == tag.data[: len(cut.data)]


def test_the_host_of_the_brand_is_kept() -> None:
    tag = epc.decode(BRANDED)
    assert isinstance(tag, PlusEpc)
    assert (tag.scheme, tag.filter, tag.hostname) == ("sgtin++", 3, "id.example.com")
    assert tag.uri == tag.digital_link == "https://id.example.com/01/79521141123453/21/32a%2Fb"


def test_the_date_of_a_dated_item_stands_in_the_link_and_not_in_its_name() -> None:
    tag = epc.decode(bytes.fromhex("FB342CDE795211411234538566CB0AFC4000"))
    assert isinstance(tag, PlusEpc)
    assert tag.date == ("17", "220630")
    assert tag.digital_link == f"{tag.uri}?17=220630"


def test_element_strings_behind_the_identifier_are_read_in_order() -> None:
    plain = epc.decode(SGTIN)
    link = f"{plain.uri}?17=261231&3103=001250"
    memory = epc.encode_link(link, "sgtin+", filter_value=3, data=[("10", "A-7")])
    tag = epc.decode(memory)
    assert isinstance(tag, PlusEpc)
    assert tag.data == (("17", "261231"), ("3103", "001250"), ("10", "A-7"))
    assert (tag.uri, tag.filter, memory[1] >> 7) == (plain.uri, 3, 1)
    # key and serial end one nibble earlier than the last word: 17, then year 26, month 12, day 31 in 7, 4 and 5 bits
    bits = f"{int.from_bytes(memory, 'big'):0{8 * len(memory)}b}"
    assert bits[111 : 111 + 24] == "00010111" + "0011010" + "1100" + "11111"


def test_what_no_one_can_read_behind_the_identifier_is_kept_bit_by_bit() -> None:
    date = "00010111" + "0011010" + "1100" + "11111"
    unknown = "10001000" + "101"
    bits = f"{int.from_bytes(SGTIN, 'big'):0112b}"
    memory = bits[:8] + "1" + bits[9:111] + date + unknown
    padded = memory.ljust(160, "0")
    tag = epc.decode(int(padded, 2).to_bytes(20, "big"))
    assert isinstance(tag, PlusEpc)
    assert (tag.data, tag.rest) == ((("17", "261231"),), unknown)
    assert epc.encode(tag) == int(padded, 2).to_bytes(20, "big")


def test_an_element_string_of_a_newer_standard_keeps_those_in_front_of_it() -> None:
    tag = replace(plus(SGTIN), data=(("10", "7"),), rest="0111000000000111" + "0" * 15 + "1")
    assert epc.decode(epc.encode(tag)) == tag


def test_a_location_without_extension_has_none_in_its_link() -> None:
    memory = epc.encode_link("https://id.gs1.org/414/9521141123454", "sgln+", filter_value=2)
    assert epc.decode(memory).uri == "https://id.gs1.org/414/9521141123454"
    assert memory == epc.encode_link("https://id.gs1.org/414/9521141123454/254/0", "sgln+", filter_value=2)


def test_a_reference_of_digits_only_is_terminated_and_another_delimited() -> None:
    digits = epc.encode_link("https://id.gs1.org/8004/95211415678", "giai+", filter_value=3)
    assert digits.hex() == "fa395211415678f0"
    text = epc.encode_link("https://id.gs1.org/8004/952114132a%2Fb", "giai+", filter_value=3)
    assert text.hex().startswith("fa3952114132e8")
    assert epc.decode(text).uri == "https://id.gs1.org/8004/952114132a%2Fb"


def test_a_delimiter_in_front_of_a_digit_is_read_and_written_where_the_digits_end() -> None:
    writer = BitWriter()
    writer.put(0xFA39521141E, 44)
    write_text(writer, "32a/b", 5)
    tag = epc.decode(writer.memory())
    assert tag.uri == "https://id.gs1.org/8004/952114132a%2Fb"
    assert epc.decode(epc.encode(tag)) == tag


@pytest.mark.parametrize(
    ("text", "indicator", "bits"),
    [
        ("0042", 0, 14),
        ("00AF", 1, 16),
        ("00af", 2, 16),
        ("ZZ", 3, 12),
        ("A-Z", 5, 16),
        ("AbC_", 3, 24),
        ("a/b", 4, 21),
        ("ABCXYZ:.-", 5, 48),
    ],
)
def test_a_text_is_written_the_shortest_way(text: str, indicator: int, bits: int) -> None:
    writer = BitWriter()
    write_text(writer, text, 5)
    memory = writer.memory()
    assert memory[0] >> 5 == indicator
    assert len(memory) == -(-(8 + bits) // 16) * 2
    assert read_text(BitReader(memory), 5) == text


@given(characters(31))
def test_every_text_survives_its_bits(text: str) -> None:
    writer = BitWriter()
    write_text(writer, text, 5)
    assert read_text(BitReader(writer.memory()), 5) == text


def test_a_text_of_characters_that_no_tag_holds_is_refused() -> None:
    with pytest.raises(IdentifierError, match="no GS1 set"):
        write_text(BitWriter(), "é", 5)


def test_a_country_of_anything_but_capitals_stays_bits() -> None:
    # (4307) with 26, the first small letter of base 64, in front of A
    tag = replace(plus(SGTIN), rest="0100001100000111" + "011010" + "000000" + "1")
    assert epc.decode(epc.encode(tag)) == tag


def test_code_40_has_the_values_of_the_standard() -> None:
    # ISO/IEC 15962: 1600 · 1 + 40 · 2 + 3 + 1 for ABC; 0 fills up
    assert read_text(BitReader(bytes.fromhex("a30694") + bytes(2)), 5) == "ABC"
    for wrong in ("a30000", "a3fa01", "a20694", "a40694"):
        with pytest.raises(IdentifierError):
            read_text(BitReader(bytes.fromhex(wrong) + bytes(2)), 5)


@settings(max_examples=300)
@given(HOSTS | st.from_regex(r"\A[a-z0-9]{1,5}(?:[.-][a-z0-9]{1,6}){0,6}\Z"))
def test_every_host_survives_its_bits(host: str) -> None:
    writer = BitWriter()
    write_hostname(writer, host)
    assert read_hostname(BitReader(writer.memory())) == host
    assert 8 * len(writer.memory()) <= 7 + 7 * len(host) + 15


@pytest.mark.parametrize(
    ("host", "units"),
    [
        ("id.example.com", 9),
        ("www.comcast.com", 1 + 7 + 1),
        ("qr.abc.com.cn", 1 + 3 + 2),
        ("shop.co.uk", 4 + 2),
        ("x.ac", 3),
        ("x.li", 3),
        ("x.lk", 3),
        ("x.zw", 3),
    ],
)
def test_common_parts_of_hosts_take_one_unit_or_two(host: str, units: int) -> None:
    writer = BitWriter()
    write_hostname(writer, host)
    memory = writer.memory()
    assert (memory[0] >> 7, memory[0] >> 1 & 0x3F) == (1, units)
    assert read_hostname(BitReader(memory)) == host


def test_a_host_in_capitals_or_code_40_comes_out_in_small_letters() -> None:
    writer = BitWriter()
    write_hostname(writer, "abc-123.xyz-456.example")
    assert writer.memory()[0] >> 7 == 0
    assert read_hostname(BitReader(writer.memory())) == "abc-123.xyz-456.example"
    capitals = BitWriter()
    capitals.put(1, 1)
    capitals.put(1, 6)
    capitals.put(ord("A"), 7)
    assert read_hostname(BitReader(capitals.memory())) == "a"


@pytest.mark.parametrize(
    ("link", "scheme"),
    [
        ("https://id.gs1.org/01/79521141123453", "sgtin+"),
        ("https://id.gs1.org/01/79521141123453/10/A/21/1", "sgtin+"),
        ("https://id.gs1.org/01/79521141123454/21/1", "sgtin+"),
        ("https://id.gs1.org/01/79521141123453/21/1", "sgtin-96"),
        ("https://id.gs1.org/01/79521141123453/21/1", "sscc+"),
        ("https://id.gs1.org/01/79521141123453/21/1", "dsgtin+"),
        ("https://id.gs1.org/253/9521141123454", "gdti+"),
        ("https://id.gs1.org/8003/09521141123454", "grai++"),
        ("https://-a.example/01/79521141123453/21/1", "sgtin++"),
        ("https://" + "a" * 60 + "." + "b" * 60 + ".example/01/79521141123453/21/1", "sgtin++"),
        ("https://id.gs1.org/01/79521141123453/21/1?8008=26123112", "sgtin+"),
        ("https://id.gs1.org/01/79521141123453/21/1?4307=c9", "sgtin+"),
        ("https://id.gs1.org/01/79521141123453/21/1?7007=261201261231", "dsgtin+"),
        ("https://id.gs1.org/01/79521141123453/21/1?8007=GB33BUKB20201555555555abcdefghij12", "sgtin+"),
        ("https://id.gs1.org/01/79521141123453/21/1?8030=A%3D", "sgtin-96"),
        ("https://id.gs1.org/01/79521141123453/21/1?9=1", "sgtin+"),
        (f"https://id.example.com/01/79521141123453/21/{'%25' * 20}?10={'%25' * 20}&240={'%25' * 30}", "sgtin++"),
        ("urn:epc:id:sgtin:0614141.812345.6789", "sgtin+"),
        ("https://id.gs1.org/" + "9" * 3000, "sgtin+"),
    ],
)
def test_a_link_that_no_tag_of_the_scheme_holds_is_refused(link: str, scheme: str) -> None:
    with pytest.raises(IdentifierError):
        epc.encode_link(link, scheme)


@pytest.mark.parametrize(
    "change",
    [
        {"filter": 8},
        {"filter": None},
        {"uri": "https://id.example.com/01/79521141123453/21/1"},
        {"uri": "http://id.gs1.org/01/79521141123453/21/1"},
        {"uri": "https://id.gs1.org/stem/01/79521141123453/21/1"},
        {"date": ("17", "261231")},
        {"data": (("17", "261331"),)},
        {"data": (("9", "1"),)},
        {"rest": "10"},
        {"rest": "12"},
        {"rest": "1" * 500},
        {"scheme": "sgtin+++"},
    ],
)
def test_a_tag_that_cannot_be_written_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(IdentifierError):
        epc.encode(replace(plus(SGTIN), **change))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("memory", "reason"),
    [
        ("F73795211411234538566CB0AFC5", "bits follow"),
        ("F73795211411234638566CB0AFC4", "check 'key'"),
        ("F737A521141123453856", "four bits"),
        ("F737952114112345380000000000", "has the form"),
        ("F7379521141123453C566CB0AFC4", "encoding indicator"),
        ("FB374CDE795211411234538566CB0AFC4000", "kind of date"),
        ("FB342DBE795211411234538566CB0AFC4000", "check 'month'"),
        ("FA39521141B00000", "neither delimiter"),
        ("FA395211E000", "nothing stands behind"),
        ("F13095211411234540000000", "no serial number"),
        ("FD3795211411234538566CB0AFC525000000000000000000", "host"),
        ("FD3795211411234538566CB0AFC40000", "host name"),
    ],
)
def test_bits_that_no_identifier_has_are_refused_with_the_reason(memory: str, reason: str) -> None:
    with pytest.raises(IdentifierError, match=reason):
        epc.decode(bytes.fromhex(memory))


def test_more_bytes_than_a_tag_can_announce_are_refused() -> None:
    with pytest.raises(IdentifierError, match="up to 62 bytes"):
        epc.decode(SGTIN + bytes(50) + b"\x01")


def test_every_scheme_with_a_plus_has_one_with_two_and_a_header_of_its_own() -> None:
    names = {scheme.name for scheme in PLUS_SCHEMES}
    assert {f"{name}+" for name in names if not name.endswith("++")} == {n for n in names if n.endswith("++")}
    assert len(set(HEADERS)) == len(HEADERS) == 24


def plus(memory: bytes) -> PlusEpc:
    tag = epc.decode(memory)
    assert isinstance(tag, PlusEpc)
    return tag


def assert_decoded_or_refused(memory: bytes) -> None:
    try:
        tag = epc.decode(memory)
    except IdentifierError as error:
        assert str(error).isprintable()
        return
    assert digital_link.is_digital_link(str(tag.digital_link))
    again = epc.encode(tag)
    assert len(again) <= epc.LONGEST_EPC
    assert epc.decode(again) == tag
