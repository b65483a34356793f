"""The scheme definitions that GS1 publishes for machines (Tag Data Translation 2.2) against our table."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from trace_core.errors import IdentifierError
from trace_core.ids import epc
from trace_core.ids.epc.partitioned import Layout
from trace_core.ids.epc.schemes import LAYOUTS, SCHEMES

TEXT = "A!%&'()*/:;?"
"""Twelve characters that URN and Digital Link escape differently."""
TOKEN = re.compile(r"\(\[01\]\{(\d+)\}\)|\(([01]+)\)|([01]+)")
"""A field of so many bits, a field with one value only, bits that are no field."""


def test_every_published_tag_reads_as_published(conformance: Path) -> None:
    vectors = json.loads((conformance / "tds" / "tds-2.3-annex-e3-vectors.json").read_text())
    ours = [v for v in vectors if int(v["hex"][:2], 16) in {scheme.header for scheme in SCHEMES}]
    assert len(ours) >= 14
    for vector in ours:
        memory = bytes.fromhex(vector["hex"])
        tag = epc.decode(memory)
        assert (tag.uri, tag.tag_uri, tag.digital_link) == (
            vector["epcURI"],
            vector["tagURI"],
            vector["digitalLinkURI"],
        )
        assert epc.encode(tag.tag_uri) == memory


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
        assert re.fullmatch(levels["TAG_ENCODING"][key]["pattern"], tag.tag_uri), tag.tag_uri
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
    if "decimalMaximum" in field:
        return int(field["decimalMaximum"])
    text = int("".join(f"{ord(c):07b}" for c in TEXT), 2)
    return text << width - 7 * len(TEXT)


def memory_of(fields: list[tuple[int, int, str]], length: int) -> bytes:
    bits = "".join(f"{value:0{width}b}" for value, width, _ in fields)
    assert len(bits) == length
    bits += "0" * (-length % 16)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")
