"""Identifiers of an event as EPC URNs or as GS1 Digital Links (header GS1-EPC-Format).

A URN says how long the company prefix is, a Digital Link does not. `prefix_length` supplies it: without a register of
company prefixes it is the rule of GS1 China for 690–699 and 7 for the rest, the commonest length. Whatever it is, both
spellings have one canonical form, so that no answer names another object. A link that has no URN stays a link.
Source: TDS 2.3 section 6.3, GB 12904 (company prefixes of GS1 China).
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Final, TypeVar
from urllib.parse import quote, unquote

from trace_core.epcis.event import (
    BizTransaction,
    Destination,
    Event,
    QuantityElement,
    SensorElement,
    SensorMetadata,
    SensorReport,
    Source,
)
from trace_core.ids.canonical import CANONICAL_DOMAIN, canonical_uri

Carrier = TypeVar("Carrier", SensorMetadata, SensorReport)
PrefixLength = Callable[[str], int]
"""13 digits that begin with a company prefix → its length, 6 to 12."""

_LINK = re.compile(re.escape(CANONICAL_DOMAIN) + r"([0-9]{2,4})/([^/]+)(?:/([0-9]{2,4})/([^/]+))?\Z")
_CHINA: Final[Mapping[str, int]] = {
    "690": 7, "691": 7, "692": 8, "693": 8, "694": 8, "695": 8, "696": 8, "697": 9, "698": 10, "699": 10,
}  # fmt: skip
_COMMON_LENGTH: Final = 7
_URN_SAFE: Final = "!'()*+,-.:;=_$@"
"""Characters that the components of an EPC URN hold unescaped (TDS 2.3 table A-1), beside letters and digits."""


class EpcFormat(StrEnum):
    """Values of GS1-EPC-Format."""

    NO_PREFERENCE = "No_Preference"
    DIGITAL_LINK = "Always_GS1_Digital_Link"
    URN = "Always_EPC_URN"
    NEVER = "Never_Translates"


def usual_prefix_length(digits: str) -> int:
    """See the module."""
    return _CHINA.get(digits[:3], _COMMON_LENGTH)


def spelled(uri: str, wanted: EpcFormat, prefix_length: PrefixLength = usual_prefix_length) -> str:
    """`uri` in the format wanted; unchanged when it is no GS1 identifier or has no such spelling."""
    if wanted is EpcFormat.DIGITAL_LINK:
        return canonical_uri(uri) if uri.startswith("urn:epc:") else uri
    if wanted is EpcFormat.URN and not uri.startswith("urn:"):
        canonical = canonical_uri(uri)
        urn = _urn(canonical, prefix_length)
        # the way back proves that nothing was lost
        return urn if urn is not None and canonical_uri(urn) == canonical else uri
    return uri


def spelled_event(event: Event, wanted: EpcFormat, prefix_length: PrefixLength = usual_prefix_length) -> Event:
    """`event` with objects, places, parties, transactions and devices in the format wanted."""
    if wanted in (EpcFormat.NO_PREFERENCE, EpcFormat.NEVER):
        return event

    def one(uri: str) -> str:
        return spelled(uri, wanted, prefix_length)

    return _mapped(event, one)


def _mapped(event: Event, one: Callable[[str], str]) -> Event:
    changes: dict[str, object] = {}
    for field in dataclasses.fields(event):
        value = getattr(event, field.name)
        if field.name in _URI_FIELDS and value is not None:
            changes[field.name] = one(value)
        elif field.name in _URI_LISTS and value:
            changes[field.name] = _distinct(value, [one(uri) for uri in value])
        elif field.name in _QUANTITY_LISTS and value:
            changes[field.name] = tuple([QuantityElement(one(q.epc_class), q.quantity, q.uom) for q in value])
    changes["biz_transaction_list"] = tuple(
        [BizTransaction(one(t.biz_transaction), t.type) for t in event.biz_transaction_list]
    )
    changes["source_list"] = tuple([Source(s.type, one(s.source)) for s in event.source_list])
    changes["destination_list"] = tuple([Destination(d.type, one(d.destination)) for d in event.destination_list])
    changes["sensor_element_list"] = tuple([_sensor(element, one) for element in event.sensor_element_list])
    return dataclasses.replace(event, **changes)  # type: ignore[arg-type]  # names and values of its own fields


def _distinct(originals: Sequence[str], uris: Sequence[str]) -> tuple[str, ...]:
    """`uris`; one that would stand there twice, because two spellings of it came, keeps its own."""
    if len(set(uris)) == len(uris):
        return tuple(uris)
    taken = set(originals)
    found = []
    for original, uri in zip(originals, uris, strict=True):
        found.append(original if uri in taken else uri)
        taken.add(uri)
    return tuple(found)


_URI_FIELDS: Final = frozenset({"parent_id", "read_point", "biz_location"})
_URI_LISTS: Final = frozenset({"epc_list", "child_epcs", "input_epc_list", "output_epc_list"})
_QUANTITY_LISTS: Final = frozenset(
    {"quantity_list", "child_quantity_list", "input_quantity_list", "output_quantity_list"}
)


def _sensor(element: SensorElement, one: Callable[[str], str]) -> SensorElement:
    metadata = element.sensor_metadata
    reports = tuple([_device(report, one) for report in element.sensor_report])
    return SensorElement(reports, None if metadata is None else _device(metadata, one), element.extensions)


def _device(item: Carrier, one: Callable[[str], str]) -> Carrier:
    return item if item.device_id is None else dataclasses.replace(item, device_id=one(item.device_id))


def _urn(canonical: str, prefix_length: PrefixLength) -> str | None:
    found = _LINK.match(canonical)
    if found is None:
        return None
    ai, key, qualifier, value = found.groups()
    build = _BUILDERS.get((ai, qualifier or ""))
    return None if build is None else build(key, _escaped(value) if value else "", prefix_length)


def _escaped(value: str) -> str:
    return quote(unquote(value), safe=_URN_SAFE)


Build = Callable[[str, str, PrefixLength], str | None]


def _split(digits: str, prefix_length: PrefixLength) -> tuple[str, str]:
    """A company prefix and what follows it."""
    length = prefix_length(digits)
    return digits[:length], digits[length:]


def _item(gtin: str, prefix_length: PrefixLength) -> str:
    """GTIN-14 → `prefix.indicator+item`."""
    prefix, reference = _split(gtin[1:13], prefix_length)
    return f"{prefix}.{gtin[0]}{reference}"


def _trade(form: str) -> Build:
    return lambda key, value, length: form.format(item=_item(key, length), value=value)


def _numbered(form: str, digits: int) -> Build:
    """prefix and reference of so many `digits`; a check digit follows, then perhaps a serial."""

    def build(key: str, value: str, prefix_length: PrefixLength) -> str | None:
        prefix, reference = _split(key[:digits], prefix_length)
        rest = _escaped(key[digits + 1 :])
        return form.format(prefix=prefix, reference=reference, value=value, rest=rest)

    return build


def _sscc(key: str, _: str, prefix_length: PrefixLength) -> str | None:
    prefix, reference = _split(key[1:17], prefix_length)
    return f"urn:epc:id:sscc:{prefix}.{key[0]}{reference}"


def _grai(key: str, _: str, prefix_length: PrefixLength) -> str | None:
    rest = key[14:]
    serial = _escaped(rest) if rest else "*"
    prefix, reference = _split(key[1:13], prefix_length)
    return f"urn:epc:{'id' if rest else 'idpat'}:grai:{prefix}.{reference}.{serial}"


def _with_serial(scheme: str) -> Build:
    """GDTI and GCN: 12 digits, check digit, serial; the class when there is none."""

    def build(key: str, _: str, prefix_length: PrefixLength) -> str | None:
        prefix, reference = _split(key[:12], prefix_length)
        rest = _escaped(key[13:])
        return f"urn:epc:{'id' if rest else 'idpat'}:{scheme}:{prefix}.{reference}.{rest or '*'}"

    return build


def _text(scheme: str) -> Build:
    def build(key: str, _: str, prefix_length: PrefixLength) -> str | None:
        prefix, reference = _split(key, prefix_length)
        return f"urn:epc:id:{scheme}:{prefix}.{_escaped(reference)}" if reference else None

    return build


def _component(key: str, value: str, prefix_length: PrefixLength) -> str | None:
    prefix, reference = _split(key, prefix_length)
    part = quote(unquote(reference), safe="-")
    return f"urn:epc:{'id' if value else 'idpat'}:cpi:{prefix}.{part}.{value or '*'}"


def _piece(key: str, value: str, prefix_length: PrefixLength) -> str | None:
    head = f"{_item(key[:14], prefix_length)}.{key[14:16]}.{key[16:18]}"
    return f"urn:epc:{'id' if value else 'idpat'}:itip:{head}.{value or '*'}"


_GLN: Final = "urn:epc:id:sgln:{prefix}.{reference}."
_BUILDERS: Final[Mapping[tuple[str, str], Build]] = {
    ("01", "21"): _trade("urn:epc:id:sgtin:{item}.{value}"),
    ("01", "10"): _trade("urn:epc:class:lgtin:{item}.{value}"),
    ("01", "235"): _trade("urn:epc:id:upui:{item}.{value}"),
    ("01", ""): _trade("urn:epc:idpat:sgtin:{item}.*"),
    ("00", ""): _sscc,
    ("414", ""): _numbered(f"{_GLN}0", 12),
    ("414", "254"): _numbered(f"{_GLN}{{value}}", 12),
    ("417", ""): _numbered("urn:epc:id:pgln:{prefix}.{reference}", 12),
    ("8003", ""): _grai,
    ("8004", ""): _text("giai"),
    ("8017", ""): _numbered("urn:epc:id:gsrnp:{prefix}.{reference}", 17),
    ("8018", ""): _numbered("urn:epc:id:gsrn:{prefix}.{reference}", 17),
    ("253", ""): _with_serial("gdti"),
    ("255", ""): _with_serial("sgcn"),
    ("401", ""): _text("ginc"),
    ("402", ""): _numbered("urn:epc:id:gsin:{prefix}.{reference}", 16),
    ("8010", "8011"): _component,
    ("8010", ""): _component,
    ("8006", "21"): _piece,
    ("8006", ""): _piece,
}
