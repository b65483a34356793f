"""The history of a tank: what it was loaded with and when it was cleaned, by its EPCIS events.

A tank is an object of its own (GRAI or any URI), named in `epcList` or as the parent of an aggregation. Extension
fields, in the event or in its ILMD: `suyuan:cargo` (words), `suyuan:cargoClass` (`food` or `non-food`) and
`suyuan:carrierPermit` (准运证 number) of a load; `suyuan:cleaningCertificate` (number) of a cleaning.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from trace_core.epcis.cbv import BizStep
from trace_server.db import Connection, Dialect
from trace_server.detect.detector import History
from trace_server.ingest.model import ActionCode, LinkRole, StoredEvent
from trace_server.ingest.store.parts import Part, bodies_with

CARGO, CARGO_CLASS = "suyuan:cargo", "suyuan:cargoClass"
PERMIT, CLEANING = "suyuan:carrierPermit", "suyuan:cleaningCertificate"
FOOD = "food"
_TANK_ROLES = frozenset({LinkRole.OBJECT, LinkRole.PARENT, LinkRole.HOST})


@dataclass(frozen=True, slots=True)
class Load:
    """A cargo that was put in. `permit` "": none is named."""

    part: Part
    cargo: str
    is_food: bool
    permit: str


@dataclass(frozen=True, slots=True)
class Cleaning:
    """The tank was cleaned."""

    part: Part
    certificate: str


Act = Load | Cleaning


def may_concern(event: StoredEvent) -> bool:
    """Whether the event may tell of a tank, or take back what another told."""
    return event.is_correction or CARGO_CLASS in event.body or CLEANING in event.body


def acts(conn: Connection, dialect: Dialect, tanks: Sequence[History]) -> Mapping[bytes, tuple[Act, ...]]:
    """Object key → loads and cleanings by time, in events that nobody declared wrong; of what is no tank, none."""
    parts = {one.key: [part for part in one.parts if part.role in _TANK_ROLES] for one in tanks}
    keys = sorted({part.event_key for own in parts.values() for part in own})
    bodies = bodies_with(conn, dialect, keys, CARGO_CLASS) | bodies_with(conn, dialect, keys, CLEANING)
    told = {key: _fields(body) for key, body in bodies.items()}
    return {
        key: tuple(act for part in own for act in _acts(part, told.get(part.event_key, {})))
        for key, own in parts.items()
    }


def _acts(part: Part, told: Mapping[str, Any]) -> Iterator[Act]:
    # A tank that is cleaned and loaded in one event was cleaned before.
    certificate = _text(told, CLEANING)
    if certificate:
        yield Cleaning(part, certificate)
    kind = _text(told, CARGO_CLASS)
    if kind and (part.biz_step == BizStep.LOADING.uri or part.action is ActionCode.ADD):
        yield Load(part, _text(told, CARGO), kind == FOOD, _text(told, PERMIT))


def _fields(body: str) -> Mapping[str, Any]:
    event = msgspec.json.decode(body)
    ilmd = event.get("ilmd")
    return {**ilmd, **event} if isinstance(ilmd, dict) else event


def _text(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name)
    return value.strip() if isinstance(value, str) else ""
