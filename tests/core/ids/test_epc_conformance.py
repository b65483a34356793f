"""The scheme definitions that GS1 publishes for machines (Tag Data Translation 2.2) against our table."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from trace_core.errors import IdentifierError
from trace_core.ids import digital_link, epc
from trace_core.ids.canonical import canonical_uri
from trace_core.ids.epc.characters import WAY_OF
from trace_core.ids.epc.elements import AI_LENGTHS, FORMAT_ROWS, matching
from trace_core.ids.epc.partitioned import Layout
from trace_core.ids.epc.plus import DATES, PLUS_SCHEMES, PlusScheme
from trace_core.ids.epc.schemes import LAYOUTS

TEXT = "A!%&'()*/:;?"
"""Twelve characters that URN and Digital Link escape differently."""
TOKEN = re.compile(r"\(\[01\]\{(\d+)\}\)|\(([01]+)\)|([01]+)")
"""A field of so many bits, a field with one value only, bits that are no field."""


def test_every_published_tag_reads_as_published(conformance: Path) -> None:
    vectors = json.loads((conformance / "tds" / "tds-2.3-annex-e3-vectors.json").read_text())
    assert len(vectors) >= 21
    for vector in vectors:
        # the standard prints no more digits than the scheme fills; a tag has whole words
        memory = bytes.fromhex(vector["hex"] + "0" * (-len(vector["hex"]) % 4))
        tag = epc.decode(memory)
        assert (tag.scheme.upper(), tag.tag_uri) == (vector["scheme"], vector["tagURI"])
        assert tag.digital_link == vector["digitalLinkURI"]
        assert tag.uri == (vector["epcURI"] or vector["digitalLinkURI"].partition("?")[0])
        assert epc.encode(tag) == memory
        assert tag.filter == (None if tag.scheme == "gid-96" else 0 if tag.scheme.startswith("sscc") else 3)
        if tag.digital_link is not None:
            path = "/" + tag.digital_link.split("/", 3)[3]
            assert digital_link.parse(tag.digital_link).build("https://a.b") == f"https://a.b{path}"
            assert canonical_uri(tag.uri) == canonical_uri(tag.digital_link)
            assert canonical_uri(tag.uri).startswith("https://id.gs1.org/")
        if isinstance(tag, epc.PlusEpc):
            assert epc.encode_link(str(tag.digital_link), tag.scheme, filter_value=tag.filter or 0) == memory


@pytest.mark.parametrize("scheme", PLUS_SCHEMES[: len(PLUS_SCHEMES) // 2], ids=lambda scheme: scheme.name)
def test_a_plus_scheme_has_the_header_and_the_identifiers_that_are_published(
    scheme: PlusScheme, conformance: Path
) -> None:
    path = conformance / "tds" / "tdt-2.2-schemes" / f"{scheme.name.upper()}.json"
    published = json.loads(path.read_text())["tdt:epcTagDataTranslation"]["scheme"]
    (binary,) = [level for level in published["level"] if level["type"] == "BINARY"]
    assert int(binary["prefixMatch"], 2) == scheme.header
    for option in binary["option"]:
        assert tuple(field["ai"] for field in option["encodedAI"]) == scheme.ais
    if scheme.name == "dsgtin+":
        (link,) = [level for level in published["level"] if level["type"] == "GS1_DIGITAL_LINK"]
        assert tuple(option["aiSequence"][2] for option in link["option"]) == DATES
        assert [option["optionKey"] for option in binary["option"]] == [str(kind) for kind in range(len(DATES))]


def test_a_value_takes_the_bits_that_the_tables_give_it(conformance: Path) -> None:
    tables = conformance / "tds" / "tdt-2.2-tables"
    lengths = json.loads((tables / "TDT_TableB.json").read_text())
    for column in lengths["columns"][1:]:
        way = WAY_OF[column["encodingIndicator"]]
        assert [way.bits(int(row["a"])) for row in lengths["rows"]] == [
            int(row[column["id"]]) for row in lengths["rows"]
        ]
    for row in json.loads((tables / "TDT_TableE.json").read_text())["rows"]:
        published = {chr(code) for code in range(128) if re.fullmatch(row["f"], chr(code))}
        # 7 bits also hold the # of component/part identifiers
        assert WAY_OF[int(row["a"])].characters - {"#"} == published
    for row in json.loads((tables / "TDT_TableK.json").read_text())["rows"]:
        assert AI_LENGTHS[row["a"]] == int(row["b"])
    assert len(AI_LENGTHS) == len(json.loads((tables / "TDT_TableK.json").read_text())["rows"])


def test_every_application_identifier_is_coded_as_published(conformance: Path) -> None:
    rows = json.loads((conformance / "tds" / "tdt-2.2-tables" / "TDT_TableF.json").read_text())["rows"]
    published = {row["a"]: " ".join(filter(None, (part_of(row, "bcdefg"), part_of(row, "ijklmn")))) for row in rows}
    ours = {ai: spec for spec, patterns in FORMAT_ROWS.items() for p in patterns.split() for ai in matching(p)}
    kept_as_bits = {ai for ai, spec in published.items() if "?" in spec}
    assert kept_as_bits == {"7007", "7011", "7258", "8008"}
    assert ours == {ai: spec for ai, spec in published.items() if ai not in kept_as_bits}


def part_of(row: dict[str, str], columns: str) -> str:
    """One component of a row of table F in the letters of our table; ? for what we do not read."""
    name, _, digits, bits, indicator, length = (row.get(column, "") for column in columns)
    letter = {
        "": "",
        "Fixed-length numeric": "F",
        "Fixed-Bit-Length Numeric String": "I",
        "Variable-length numeric string without encoding indicator": "V",
        "Variable-length alphanumeric": "A",
        "Delimited/terminated numeric": "T",
        "6-digit date YYMMDD": "D",
        "10-digit date+time YYMMDDhhmm": "M",
        "Single data bit": "B",
        "Country code (ISO 3166-1 alpha-2)": "C",
        "Optional minus sign in 1 bit": "S",
    }.get(name, "?")
    assert indicator == ("3" if letter and letter in "AT" else "")
    if letter and letter in "FI":
        assert int(bits) == (4 * int(digits) if letter == "F" else WAY_OF[0].bits(int(digits)))
        return letter + digits
    return letter + length


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_the_largest_value_of_every_field_reads_as_published_and_one_more_is_refused(
    layout: Layout, conformance: Path
) -> None:
    path = conformance / "tds" / "tdt-2.2-schemes" / f"{layout.name.upper()}.json"
    scheme = json.loads(path.read_text())["tdt:epcTagDataTranslation"]["scheme"]
    levels = {level["type"]: {o["optionKey"]: o for o in level["option"]} for level in scheme["level"]}
    assert len(levels["BINARY"]) == 7
    for key, option in levels["BINARY"].items():
        fields = largest_fields(option)
        tag = epc.decode(memory_of(fields, scheme["tagLength"]))
        assert re.fullmatch(levels["TAG_ENCODING"][key]["pattern"], str(tag.tag_uri)), tag.tag_uri
        assert re.fullmatch(levels["PURE_IDENTITY"][key]["pattern"], tag.uri), tag.uri
        assert re.search(levels["GS1_DIGITAL_LINK"][key]["pattern"], str(tag.digital_link)), tag.digital_link
        for index, (value, width, name) in enumerate(fields):
            # filters and free numbers use all their bits; a text has no largest value
            if name in {"gs1companyprefix", "itemref", "serialref", "piece", "total"} and value + 1 < 1 << width:
                over = [*fields[:index], (value + 1, width, name), *fields[index + 1 :]]
                with pytest.raises(IdentifierError):
                    epc.decode(memory_of(over, scheme["tagLength"]))


def largest_fields(option: dict[str, Any]) -> list[tuple[int, int, str]]:
    """(value, bits, name) from left to right: literal bits as they are, every field at its largest."""
    published = iter(sorted(option["field"], key=lambda field: field["seq"]))
    found = []
    for width, only, literal in TOKEN.findall(option["pattern"]):
        field = None if literal else next(published)
        if field is None or only:
            found.append((int(only or literal, 2), len(only or literal), "fixed"))
        else:
            found.append((largest(field, int(width)), int(width), field["name"]))
    return found


def largest(field: dict[str, Any], width: int) -> int:
    if (width, field["name"]) == (58, "serial"):
        # the serial number of GDTI-113: see `trace_core.ids.epc.schemes`
        return int("1" + field["decimalMaximum"])
    if "decimalMaximum" in field:
        return int(field["decimalMaximum"])
    text = int("".join(f"{ord(c):07b}" for c in TEXT), 2)
    return text << width - 7 * len(TEXT)


def memory_of(fields: list[tuple[int, int, str]], length: int) -> bytes:
    bits = "".join(f"{value:0{width}b}" for value, width, _ in fields)
    assert len(bits) == length
    bits += "0" * (-length % 16)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")
