"""EPC memory ↔ identifiers: the standard's own tags, round trips of every scheme, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.core.ids.epc_strategies import OTHER_TAG_URIS, tag_uris
from trace_core.errors import IdentifierError
from trace_core.ids import digital_link, epc
from trace_core.ids.canonical import canonical_uri
from trace_core.ids.epc.partitioned import Layout
from trace_core.ids.epc.schemes import LAYOUTS, SCHEMES, URN_SCHEMES

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "epc" / "tds-2.3-annex-e3.json").read_text())["vectors"]
SGTIN = bytes.fromhex("3074257BF7194E4000001A85")
HEADERS = sorted(scheme.header for scheme in URN_SCHEMES)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["hex"])
def test_a_tag_of_the_standard_reads_as_the_standard_says(vector: dict[str, str | None]) -> None:
    memory = bytes.fromhex(str(vector["hex"]))
    tag = epc.decode(memory)
    assert (tag.uri, tag.tag_uri, tag.digital_link) == (vector["uri"], vector["tag_uri"], vector["digital_link"])
    assert epc.encode(tag) == memory


def test_the_filter_value_is_kept() -> None:
    tag = epc.decode(SGTIN)
    assert (tag.scheme, tag.filter) == ("sgtin-96", 3)
    assert epc.decode(bytes.fromhex("3500E86F8000A9E000000586")).filter is None


def test_a_gtin_and_a_serial_make_an_sgtin_96() -> None:
    memory = epc.encode_sgtin96("6901234567892", 1000000001, prefix_length=7)
    assert memory.hex().upper() == "3035A537C83775403B9ACA01"
    with pytest.raises(IdentifierError, match="6 to 12"):
        epc.encode_sgtin96("6901234567892", 1, prefix_length=13)
    with pytest.raises(IdentifierError):
        epc.encode_sgtin96("6901234567892", 2**38, prefix_length=7)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
@settings(max_examples=60)
@given(st.data())
def test_every_tag_uri_survives_the_tag(layout: Layout, data: st.DataObject) -> None:
    uri = data.draw(tag_uris(layout))
    memory = epc.encode(uri)
    tag = epc.decode(memory)
    assert tag.tag_uri == uri
    assert memory[0] == layout.header
    assert len(memory) % 2 == 0
    assert tag.uri.split(":")[3] == layout.urn
    assert epc.decode(memory + bytes(4)) == tag  # a tag with more memory than the scheme needs


@pytest.mark.parametrize("name", OTHER_TAG_URIS)
@settings(max_examples=60)
@given(st.data())
def test_every_tag_uri_of_a_scheme_of_its_own_survives_the_tag(name: str, data: st.DataObject) -> None:
    uri = data.draw(OTHER_TAG_URIS[name])
    memory = epc.encode(uri)
    tag = epc.decode(memory)
    assert tag.tag_uri == uri
    assert len(memory) % 2 == 0
    assert epc.decode(memory + bytes(4)) == tag
    with pytest.raises(IdentifierError):
        epc.decode(memory + b"\x00\x01")
    for length in range(len(memory.rstrip(b"\0")) - 1):
        with pytest.raises(IdentifierError):
            epc.decode(memory[:length])


@settings(max_examples=300)
@given(tag_uris() | OTHER_TAG_URIS["cpi-var"])
def test_the_digital_link_of_a_tag_is_valid_and_names_the_same_object(uri: str) -> None:
    tag = epc.decode(epc.encode(uri))
    assert tag.digital_link is not None
    assert digital_link.parse(tag.digital_link).canonical() == tag.digital_link
    assert unquote(canonical_uri(tag.uri)) == unquote(tag.digital_link)
    assert canonical_uri(tag.uri) == canonical_uri(tag.digital_link)


@settings(max_examples=400)
@given(st.binary(max_size=64))
@example(b"")
@example(b"\x30")
@example(SGTIN[:11])
@example(SGTIN + b"\x01")
def test_any_bytes_are_decoded_or_refused_with_an_identifier_error(memory: bytes) -> None:
    assert_decoded_or_refused(memory)


@settings(max_examples=400)
@given(st.sampled_from(HEADERS), st.integers(0, 6), st.binary(min_size=10, max_size=26))
def test_any_bytes_behind_a_known_header_are_decoded_or_refused(header: int, partition: int, rest: bytes) -> None:
    assert_decoded_or_refused(bytes([header, rest[0] & 0xE0 | partition << 2 | rest[0] & 3]) + rest[1:])


@settings(max_examples=200)
@given(tag_uris(), st.data())
def test_a_flipped_bit_gives_another_identifier_or_none(uri: str, data: st.DataObject) -> None:
    memory = bytearray(epc.encode(uri))
    bit = data.draw(st.integers(0, 8 * len(memory) - 1))
    memory[bit // 8] ^= 0x80 >> bit % 8
    try:
        assert epc.decode(bytes(memory)).tag_uri != uri
    except IdentifierError:
        assert epc.encode(epc.raw_uri(bytes(memory))) == bytes(memory)


@settings(max_examples=300)
@given(
    st.text(max_size=60)
    | st.text(max_size=40).map("urn:epc:tag:sgtin-96:".__add__)
    | st.builds(
        lambda name, fields: f"urn:epc:tag:{name}:" + ".".join(fields),
        st.sampled_from([scheme.name for scheme in SCHEMES]),
        st.lists(st.text("0123456789%2Fa²", max_size=14), max_size=7),
    )
)
def test_any_text_is_encoded_or_refused_with_an_identifier_error(uri: str) -> None:
    try:
        memory = epc.encode(uri)
    except IdentifierError as error:
        assert str(error).isprintable()
        return
    assert uri in {epc.raw_uri(memory), epc.decode(memory).tag_uri}


@pytest.mark.parametrize(
    ("memory", "reason"),
    [
        ("", "empty"),
        ("E2003412DC03011838500042", "header 0xe2"),
        ("FF3795211411234538566CB0AFC4", "header 0xff"),
        ("3A76451FD46072000000000032270000", "marker"),
        ("307C257BF7194E4000001A85", "partition 7"),
        ("30740000", "96 bits"),
        ("3074257BF7194E4000001A8501", "nothing but zeros"),
        ("3077FFFFF7194E4000001A85", "too many digits"),
        ("311BA1B300CE0A6A83000001", "reserved"),
        ("3666C4409047E159B2C2BF10000000000000000000000000" + "0001", "nothing but zeros"),
        ("3666C4409047E159B2C2BF10000000000000000000000000" + "01", "bits follow the 198 bits"),
        ("3666C4409047E159B2C2BF10000000000000000000000000" + "04", "bits follow the end of the text"),
        ("386376B9B19D660C183060C183060C183060C183060C18200000", "1 to 18 characters, not 19"),
        ("3666C4409047E140000000000000000000000000000000000000", "1 to 20 characters"),
        ("3F76451FD612640000000000", "marker"),
        ("35", "96 bits"),
        ("3D7C00000010000000000140", "partition 7"),
        ("3D7BFFFFC100000000001400", "more digits"),
        ("3D7BA1CC800000000005", "no characters"),
        ("3D7BA1CC8103A35294400000", "more digits"),
        ("3D7BA1CCA400000000001400", "no character of 6 bits"),
        ("3D6000003A1CC8104104104104104104104104104100000000001400", "up to 18 characters"),
        ("3D76451FD75411DEF6B4CC000000030390000001", "bits follow"),
        ("3B020C71C71C41023C40", "where there is no part number"),
        ("3B020C71C71C41000000", "serial number"),
        ("3B020249249241001000", "owner code"),
        ("2F3202020202020000000000", "owner code"),
        ("2F32043414745590000030", "96 bits"),
    ],
)
def test_bits_that_no_identifier_has_are_refused_with_the_reason(memory: str, reason: str) -> None:
    with pytest.raises(IdentifierError, match=reason):
        epc.decode(bytes.fromhex(memory))


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "urn:epc:id:sgtin:0614141.812345.6789",
        "urn:epc:tag:sgtin-96:8.0614141.812345.6789",
        "urn:epc:tag:sgtin-96:3.06141411.812345.6789",
        "urn:epc:tag:sgtin-96:3.0614141.812345.06789",
        "urn:epc:tag:sgtin-96:3.0614141.812345.274877906944",
        "urn:epc:tag:sgtin-96:3.0614141.812345",
        "urn:epc:tag:sgtin-198:3.0614141.812345.a/b",
        "urn:epc:tag:sgtin-198:3.0614141.812345.a%2fb",
        "urn:epc:tag:sgtin-198:3.0614141.812345.%41",
        "urn:epc:tag:sgtin-198:3.0614141.812345." + "x" * 21,
        "urn:epc:tag:grai-170:3.9521141.12345." + "x" * 49,
        "urn:epc:tag:sgcn-96:3.9521141.67890.1234567890123",
        "urn:epc:tag:sgcn-96:3.9521141.67890.a",
        "urn:epc:tag:gid-96:1.2",
        "urn:epc:tag:cpi-var:3.9521141.5PQ7",
        "urn:epc:tag:cpi-var:3.95211.5PQ7.1",
        "urn:epc:tag:cpi-var:3.9521141..1",
        "urn:epc:tag:cpi-var:3.9521141.5pq7.1",
        "urn:epc:tag:cpi-var:3.9521141.5%2f7.1",
        "urn:epc:tag:cpi-var:3.9521141.5PQ7.1000000000000",
        "urn:epc:tag:cpi-var:3.9521141." + "A" * 24 + ".1",
        "urn:epc:tag:adi-var:3.W81X9.1",
        "urn:epc:tag:adi-var:64.W81X9..1",
        "urn:epc:tag:adi-var:3.W81X..1",
        "urn:epc:tag:adi-var:3.W81IO..1",
        "urn:epc:tag:adi-var:3.W81X9.1.%231",
        "urn:epc:tag:adi-var:3.W81X9..%23",
        "urn:epc:tag:adi-var:3.W81X9.." + "1" * 31,
        "urn:epc:tag:usdod-96:16.W81X9.1",
        "urn:epc:tag:usdod-96:3.W81X9C2.1",
        "urn:epc:tag:usdod-96:3.W81X9.68719476736",
        "urn:epc:tag:sgtin+:3.0614141.812345.6789",
        "urn:epc:tag:nothing-96:3.0614141.812345.6789",
        "urn:epc:raw:96.x3074",
        "urn:epc:raw:12.x307",
        "urn:epc:tag:" + "9" * 300,
    ],
)
def test_a_text_that_is_no_tag_uri_is_refused(uri: str) -> None:
    with pytest.raises(IdentifierError):
        epc.encode(uri)


@given(st.binary(min_size=1, max_size=epc.LONGEST_EPC))
def test_every_tag_has_a_raw_name_that_leads_back_to_its_bits(memory: bytes) -> None:
    assert epc.encode(epc.raw_uri(memory)) == memory


def test_the_raw_name_is_the_one_of_the_standard() -> None:
    assert epc.raw_uri(bytes.fromhex("E2003412DC03011838500042")) == "urn:epc:raw:96.xE2003412DC03011838500042"
    assert epc.raw_uri(b"") == "urn:epc:raw:0.x0"


def assert_decoded_or_refused(memory: bytes) -> None:
    try:
        tag = epc.decode(memory)
    except IdentifierError as error:
        assert str(error).isprintable()
        return
    again = epc.encode(tag)
    assert epc.decode(again) == tag
    if tag.tag_uri is None:
        return
    assert epc.encode(tag.tag_uri) == again
    longest = max(len(again), len(memory))
    assert again.ljust(longest, b"\0") == memory.ljust(longest, b"\0")
