"""One body → the rows that store it, or why it cannot be taken. Pure, and the hottest code of the server.

Each identifier is made canonical once and hashed once (`trace_core.epcis.event_hash.prepare`); the sender's bytes are
stored as they came and never written anew.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any
from urllib.parse import quote, unquote

import msgspec

from trace_core.epcis.document import check_event, event_from_json
from trace_core.epcis.event import SUYUAN_NAMESPACE, Event, Extensions, TransformationEvent
from trace_core.epcis.event_hash import ObjectRef, Prepared, Role, prepare
from trace_core.errors import TraceError
from trace_core.ids.canonical import canonical_key, canonical_uri
from trace_server.ingest.model import ActionCode, EventType, LinkRole, Origin, Reason, Rejection
from trace_server.ingest.schema import reject_event

MAX_EVENT_BYTES = 262_144
"""One event; as large as a whole gateway batch may be."""
MAX_OBJECTS = 10_000
"""Objects that one event may name: a full lorry. Each is a row or two; link.ordinal counts to 32,767."""
MAX_DEPTH = 32
MAX_STRING = 4096
"""Characters in any one string (quality.md §3.1)."""
LINK = "https://id.gs1.org/01/"
GTIN_END = len(LINK) + 14
GATEWAY_FIELD = f"{{{SUYUAN_NAMESPACE}}}gateway"
TRANSFORMATION = "transformation "
"""Before a transformationID in what its key is made of: the same URI may name goods or a container too."""
LOT_FIELDS = frozenset({"{urn:epcglobal:cbv:mda:}lotNumber", "{urn:epcglobal:cbv:mda}lotNumber"})
"""The namespace as JSON-LD and as XML write it."""
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
"""What XML 1.0 (section 2.2) and database texts cannot hold; some of them hold the parts of an event's key apart."""
OUT_OF_RANGE = Rejection(Reason.RULE, "a number or time is out of range", "", "years 1 to 9999, numbers below 1e308")

_NAME_ENDS = re.compile(rb'"\s*:')

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Taken:
    """The rows of one event. Their columns are those of `tables.py`, less what only the capture knows."""

    event: Row
    plain: list[Row]
    """Links of single objects without peer or quantity: nearly all there are, and a third less to write."""
    links: list[Row]
    """The other links."""
    objects: list[Row]
    digest: bytes
    """SHA-256 of the pre-hash string: the name of an event that has no eventID."""

    @property
    def key(self) -> bytes:
        """16 bytes: equal for two bodies that say the same thing."""
        key: bytes = self.event["event_key"]
        return key

    @property
    def name(self) -> str:
        """The eventID, or the CBV hash of an event that has none."""
        given: str | None = self.event["event_id"]
        return given or f"ni:///sha-256;{self.digest.hex()}?ver=CBV2.0"


def read_event(body: bytes, origin: Origin, context: object = None) -> Taken | Rejection:
    """Parse, validate and key one event. `context` is the `@context` of the document around it, decoded."""
    decoded = _decode(body)
    if isinstance(decoded, Rejection):
        return decoded
    rejection = reject_event(decoded, str(decoded.get("type")))
    if rejection is not None:
        return rejection
    try:
        return take(event_from_json(decoded, context), body.decode(), origin)
    except TraceError as error:
        return Rejection(Reason.RULE, error.what, error.where, error.remedy)
    except OverflowError:
        return OUT_OF_RANGE


def take(event: Event, body: str, origin: Origin, where: str = "") -> Taken | Rejection:
    """The rows of an event that is read, `body` its JSON. Raises `TraceError` for a broken rule, its place under
    `where`."""
    check_event(event, where)
    prepared = prepare(event)
    if len(prepared.objects) > MAX_OBJECTS:
        return Rejection(
            Reason.TOO_MANY_OBJECTS,
            f"the event names {len(prepared.objects)} objects",
            where,
            f"at most {MAX_OBJECTS} an event: send several, or the container",
        )
    return _reject_foreign(event, origin) or _rows(event, prepared, body, origin)


def objects_of(event: Event) -> tuple[ObjectRef, ...]:
    """Every object that `event` names, canonical and keyed; what `read_event` makes links of."""
    return prepare(event).objects


def transformation_key(event: TransformationEvent, own: bytes) -> bytes:
    """The node between inputs and outputs: the event itself, whose key is `own`, or what its transformationID names.

    Events that share a transformationID tell one transformation in parts (EPCIS 2.0.1 section 7.4.5).
    """
    if event.transformation_id is None:
        return own
    return canonical_key(f"{TRANSFORMATION}{canonical_uri(event.transformation_id)}")


def class_uri(gtin: str, lot: str) -> str:
    """Canonical URI of a lot. `gtin`: 14 digits."""
    return canonical_uri(f"{LINK}{gtin}/10/{quote(lot, safe='')}")


def reject_shape(value: dict[str, Any] | list[Any], levels: int) -> Rejection | None:
    """Limits that protect what comes after: depth, length of strings, characters no database text can hold."""
    if levels == 0:
        return Rejection(Reason.TOO_DEEP, "the event is nested too deep", "", f"at most {MAX_DEPTH} levels")
    for member in value.values() if isinstance(value, dict) else value:
        kind = type(member)
        if kind is str:
            if len(member) > MAX_STRING:
                return Rejection(Reason.TOO_LONG, "a string is too long", "", f"at most {MAX_STRING} characters")
            if not member.isprintable() and _FORBIDDEN.search(member):
                return Rejection(
                    Reason.FORBIDDEN_CHARACTER, "a string holds a control character", "", "leave the character out"
                )
        elif kind is dict or kind is list:
            rejection = reject_shape(member, levels - 1)
            if rejection is not None:
                return rejection
    return None


def _decode(body: bytes) -> dict[str, Any] | Rejection:
    if len(body) > MAX_EVENT_BYTES:
        return Rejection(Reason.TOO_LONG, f"the event has {len(body)} bytes", "", f"send at most {MAX_EVENT_BYTES}")
    try:
        decoded = msgspec.json.decode(body)
    except RecursionError:
        return Rejection(Reason.TOO_DEEP, "the event is nested too deep", "", f"at most {MAX_DEPTH} levels")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Rejection(Reason.NOT_JSON, f"the event is not JSON: {error}", "", "send UTF-8 JSON")
    if not isinstance(decoded, dict):
        return Rejection(Reason.NOT_JSON, "the event is not a JSON object", "", "send one object an event")
    return reject_shape(decoded, MAX_DEPTH) or _reject_repeats(body, decoded) or decoded


def _reject_repeats(body: bytes, decoded: dict[str, Any]) -> Rejection | None:
    """A name given twice in one object: one reader takes the first value, another the last.

    The count is exact or too high (a string may hold an escaped quote and a colon), so only then is it looked at twice.
    """
    if len(_NAME_ENDS.findall(body)) == _names(decoded):
        return None
    repeated: list[str] = []

    def collect(pairs: list[tuple[str, object]]) -> None:
        if len(dict(pairs)) < len(pairs):
            repeated.append(Counter([name for name, _ in pairs]).most_common(1)[0][0])

    json.loads(body, object_pairs_hook=collect, parse_int=str, parse_float=str)
    if not repeated:
        return None
    return Rejection(Reason.RULE, f"{repeated[0]!r:.100} is given twice in one object", "", "give each name once")


def _names(value: dict[str, Any] | list[Any]) -> int:
    """Names in `value` and in everything inside."""
    total = len(value) if isinstance(value, dict) else 0
    for item in value.values() if isinstance(value, dict) else value:
        kind = type(item)
        if kind is dict or kind is list:
            total += _names(item)
    return total


def _reject_foreign(event: Event, origin: Origin) -> Rejection | None:
    """The credential says who sends; an event that names another gateway is not that gateway's."""
    named = event.extensions.get(GATEWAY_FIELD)
    if named is None or named == origin.gateway:
        return None
    return Rejection(
        Reason.FOREIGN_GATEWAY,
        f"the event names gateway {named!r:.100}, the sender is {origin.source}",
        "/suyuan:gateway",
        "only a gateway itself may send its events",
    )


def _rows(event: Event, prepared: Prepared, body: str, origin: Origin) -> Taken:
    own = prepared.key_for(origin.source)
    key = _event_key(event, own)
    moment = event.event_time.astimezone(UTC)
    kind = EventType[event.type]
    action = None if isinstance(event, TransformationEvent) else ActionCode[event.action.name].value
    row: Row = {
        "event_key": key,
        "hash_key": prepared.digest[:16],
        "event_time": moment,
        "record_time": origin.received_at,
        "type": kind.value,
        "action": action,
        "utc_offset_min": _minutes(event.event_time_zone_offset),
        "is_correction": event.error_declaration is not None,
        "biz_step": event.biz_step,
        "disposition": event.disposition,
        "read_point": prepared.read_point,
        "biz_location": prepared.biz_location,
        "event_id": event.event_id,
        "source": origin.source,
        "epoch": origin.epoch,
        "body": body,
    }
    seeds, objects = _seeds(event, kind, key, prepared)
    if event.error_declaration is not None:
        # The declaration repeats the wrong event: with the same roles its objects would count twice.
        seeds = [(seed[0], LinkRole.RETRACTED.value, own, None, None) for seed in seeds]
    plain: list[Row] = []
    links: list[Row] = []
    for ordinal, (object_key, role, peer, quantity, uom) in enumerate(seeds):
        link: Row = {
            "object_key": object_key,
            "event_time": moment,
            "event_key": key,
            "ordinal": ordinal,
            "role": role,
            "action": action,
        }
        if peer is None and quantity is None and uom is None:
            plain.append(link)
        else:
            link.update(peer_key=peer, quantity=quantity, uom=uom)
            links.append(link)
    return Taken(row, plain, links, objects, prepared.digest)


_Seed = tuple[bytes, int, bytes | None, float | None, str | None]


def _seeds(event: Event, kind: EventType, key: bytes, prepared: Prepared) -> tuple[list[_Seed], list[Row]]:
    """(object, role, peer, quantity, unit) of each link, and the objects they name."""
    node = transformation_key(event, key) if isinstance(event, TransformationEvent) else key
    peers, roles = _peers(kind, node, prepared.objects)
    seeds: list[_Seed] = []
    objects: list[Row] = []
    for ref in prepared.objects:
        quantity = None if ref.quantity is None else float(ref.quantity)
        seeds.append((ref.key, roles[ref.role], peers[ref.role], quantity, ref.uom))
        objects.append(_object_row(ref.key, ref.uri, is_class=ref.is_class))
    lot = _lot(getattr(event, "ilmd", None))
    if lot:
        _add_members(lot, prepared.objects, seeds, objects)
    return seeds, objects


def _peers(
    kind: EventType, node: bytes, objects: Iterable[ObjectRef]
) -> tuple[Mapping[Role, bytes | None], Mapping[Role, int]]:
    if kind is EventType.TransformationEvent:
        return {Role.INPUT: node, Role.OUTPUT: node}, _ROLES
    parent = next((ref.key for ref in objects if ref.role is Role.PARENT), None)
    roles = _ASSOCIATION_ROLES if kind is EventType.AssociationEvent else _ROLES
    return {Role.PARENT: None, Role.CHILD: parent, Role.OBJECT: None}, roles


_ROLES: Mapping[Role, int] = {role: LinkRole[role.name].value for role in Role}
_ASSOCIATION_ROLES: Mapping[Role, int] = {
    Role.PARENT: LinkRole.HOST.value,
    Role.CHILD: LinkRole.ATTACHED.value,
}


def _add_members(lot: str, refs: Iterable[ObjectRef], seeds: list[_Seed], objects: list[Row]) -> None:
    """ILMD names the lot of what the event made: a new object belongs to the class GTIN + lot."""
    classes: dict[str, bytes] = {}
    for ref in refs:
        if ref.is_class or ref.role not in (Role.OBJECT, Role.OUTPUT) or not ref.uri.startswith(LINK):
            continue
        gtin = ref.uri[len(LINK) : GTIN_END]
        if gtin not in classes:
            uri = class_uri(gtin, lot)
            classes[gtin] = canonical_key(uri)
            objects.append(_object_row(classes[gtin], uri, is_class=True))
        seeds.append((ref.key, LinkRole.MEMBER.value, classes[gtin], None, None))


def _object_row(key: bytes, uri: str, *, is_class: bool) -> Row:
    gtin = lot = serial = None
    if uri.startswith(LINK):
        gtin = uri[len(LINK) : GTIN_END]
        qualifier, value = uri[GTIN_END : GTIN_END + 4], uri[GTIN_END + 4 :]
        if "%" in value:
            value = unquote(value)
        if qualifier == "/21/":
            serial = value
        elif qualifier == "/10/":
            lot = value
    return {
        "object_key": key,
        "canonical_uri": uri,
        "is_class": is_class,
        "gtin": gtin,
        "lot": lot,
        "serial": serial,
    }


def _lot(ilmd: Extensions | None) -> str | None:
    """`cbvmda:lotNumber` (CBV 2.0 §9.2)."""
    for name, value in (ilmd or {}).items():
        if name in LOT_FIELDS and isinstance(value, str) and value:
            return value
    return None


def _event_key(event: Event, own: bytes) -> bytes:
    """The event hash leaves an error declaration out, so that it equals the hash of what it corrects; both are kept."""
    declaration = event.error_declaration
    if declaration is None:
        return own
    parts = (declaration.declaration_time.astimezone(UTC).isoformat(), declaration.reason or "")
    told = "\n".join((*parts, *declaration.corrective_event_ids))
    return hashlib.sha256(own + told.encode()).digest()[:16]


def _minutes(offset: str) -> int:
    """`+08:00` → 480."""
    minutes = int(offset[1:3]) * 60 + int(offset[4:6])
    return -minutes if offset[0] == "-" else minutes
