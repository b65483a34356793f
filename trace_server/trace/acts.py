"""What was done with a piece of equipment: fillings, checks around them, maintenance, as its events tell it.

An event tells it by its business step and by members of our namespace (docs/how-to/register-equipment.md):
`suyuan:act` (`filling` | `maintenance`), `suyuan:medium`, `suyuan:weightKg`, `suyuan:check` (`passed` | `failed`)
with `suyuan:checkStage` (`pre` | `post`), and `suyuan:refusedAct` of a gate that had said no.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from trace_core.epcis.cbv import BizStep
from trace_core.ids.canonical import object_key
from trace_server.db import Connection, Dialect
from trace_server.ingest.model import LinkRole
from trace_server.ingest.store.parts import Part, bodies_with, parts_of

WORD = '"suyuan:'
"""Every body that tells an act holds it."""
_MARKS = ('"suyuan:act"', '"suyuan:check"', '"suyuan:weightKg"')
_VISITS = frozenset(step.uri for step in (BizStep.INSPECTING, BizStep.REPAIRING))


class ActKind(StrEnum):
    """What was done."""

    FILLING = "filling"
    PRE_CHECK = "pre_check"
    POST_CHECK = "post_check"
    MAINTENANCE = "maintenance"


@dataclass(frozen=True, slots=True)
class Act:
    """One act of one event. `passed`: of a check; `refused`: why the gate had refused it, empty: it had not."""

    event_key: bytes
    event_time: datetime
    kind: ActKind
    place: str
    """Where, canonical URI; the sender when the event names no place."""
    source: str
    medium: str = ""
    weight_kg: float | None = None
    passed: bool | None = None
    refused: str = ""


def tells_act(body: str) -> bool:
    """May the event tell a filling or a check? Cheap: nothing is parsed."""
    return any(mark in body for mark in _MARKS)


def acts_in(parts: Iterable[Part], bodies: Mapping[bytes, str]) -> list[Act]:
    """The acts that these parts of one thing tell, by event time; `bodies`: of those that hold `WORD`."""
    found = []
    for part in parts:
        if part.role is LinkRole.OBJECT and (act := _act(part, bodies.get(part.event_key, ""))) is not None:
            found.append(act)
    return sorted(found, key=lambda act: (act.event_time, act.event_key))


def acts_of(conn: Connection, dialect: Dialect, uris: Sequence[str]) -> dict[str, list[Act]]:
    """URI → acts by event time, of events that nobody declared wrong."""
    keys = {object_key(uri): uri for uri in uris}
    parts: dict[bytes, list[Part]] = defaultdict(list)
    for part in parts_of(conn, dialect, sorted(keys)):
        parts[part.object_key].append(part)
    wrong = {key: {one.peer_key for one in own if one.role is LinkRole.RETRACTED} for key, own in parts.items()}
    events = sorted({part.event_key for own in parts.values() for part in own})
    bodies = bodies_with(conn, dialect, events, WORD)
    return {
        keys[key]: acts_in((part for part in own if part.event_key not in wrong[key]), bodies)
        for key, own in parts.items()
    }


def acts_json(uri: str, acts: Sequence[Act]) -> dict[str, Any]:
    """The acts of one thing as they travel."""
    rows = [
        {
            "event": act.event_key.hex(),
            "event_time": act.event_time.isoformat().replace("+00:00", "Z"),
            "kind": act.kind.value,
            "place": act.place,
            "medium": act.medium,
            "weight_kg": act.weight_kg,
            "passed": act.passed,
            "refused": act.refused,
        }
        for act in acts
    ]
    return {"uri": uri, "acts": rows}


def _act(part: Part, body: str) -> Act | None:
    told: Mapping[str, Any] = msgspec.json.decode(body) if body else {}
    stage, check = told.get("suyuan:checkStage"), told.get("suyuan:check")
    named = told.get("suyuan:act")
    if check in ("passed", "failed") and stage in ("pre", "post"):
        kind = ActKind.PRE_CHECK if stage == "pre" else ActKind.POST_CHECK
    elif named == "filling":
        kind = ActKind.FILLING
    elif named == "maintenance" or (named is None and part.biz_step in _VISITS):
        kind = ActKind.MAINTENANCE
    elif "suyuan:weightKg" in told:
        kind = ActKind.FILLING
    else:
        return None
    weight = told.get("suyuan:weightKg")
    return Act(
        event_key=part.event_key,
        event_time=part.event_time,
        kind=kind,
        place=part.biz_location or part.read_point or part.source,
        source=part.source,
        medium=_text(told.get("suyuan:medium")),
        weight_kg=float(weight) if isinstance(weight, int | float) and not isinstance(weight, bool) else None,
        passed=check == "passed" if kind in (ActKind.PRE_CHECK, ActKind.POST_CHECK) else None,
        refused=_text(told.get("suyuan:refusedAct")),
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
