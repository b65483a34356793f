"""What the rules of filling share: every filling of a cylinder that a window touches, with its checks and its facts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from trace_server.catalog import operations as catalog
from trace_server.db import Connection
from trace_server.detect.detector import Evidence, Finding, History, Outcome, Seen, SubjectKind, Window, Withdrawn
from trace_server.detect.history import histories
from trace_server.detect.steps import LEGAL_TIME
from trace_server.equipment import store as equipment
from trace_server.equipment.model import Asset, Inspection
from trace_server.equipment.rules import as_of
from trace_server.ingest.store.parts import bodies_with
from trace_server.trace.acts import WORD, Act, ActKind, acts_in, tells_act


@dataclass(frozen=True, slots=True)
class Cylinder:
    """One tagged thing with its acts by event time. `asset` is None when the register does not know it."""

    uri: str
    acts: tuple[Act, ...]
    wrong: tuple[Act, ...]
    """Of events that were declared wrong."""
    asset: Asset | None
    inspections: Sequence[Inspection]

    def facts_at(self, moment: datetime) -> Asset | None:
        """What the register says of the day of the act."""
        day = moment.astimezone(LEGAL_TIME).date()
        return None if self.asset is None else as_of(self.asset, self.inspections, day)

    @property
    def fillings(self) -> list[Act]:
        return [act for act in self.acts if act.kind is ActKind.FILLING]


@dataclass(frozen=True, slots=True)
class FillingRule:
    """`judge`: cylinder → (act, what was computed) of the acts that show it. `wait_until`: nothing is suspected
    before, or None."""

    judge: Callable[[Cylinder], Iterator[tuple[Act, str]]]
    values: Callable[[Cylinder], Mapping[str, str]]
    wait_until: Callable[[Sequence[Evidence]], datetime | None] = lambda evidence: None  # noqa: ARG005


def cylinders(conn: Connection, window: Window) -> list[Cylinder]:
    """Every single thing of which the window holds a filling, a check, or a word that an event was wrong."""
    keys = sorted({ref.key for one in window.events if _concerns(one) for ref in one.objects if not ref.is_class})
    if not keys:
        return []
    known = histories(conn, window)
    events = sorted({part.event_key for key in keys for part in (*known[key].parts, *known[key].wrong)})
    bodies = bodies_with(conn, window.dialect, events, WORD)
    read = {key: _acts(known[key], bodies) for key in keys}
    uris = {known[key].uri for key in keys if any(read[key])}
    assets = equipment.assets_of(conn, window.dialect, uris) if uris else {}
    inspected = equipment.inspections(conn, window.dialect, assets) if assets else {}
    return [
        Cylinder(known[key].uri, *read[key], assets.get(known[key].uri), inspected.get(known[key].uri, ()))
        for key in keys
        if any(read[key])
    ]


def filling_findings(conn: Connection, window: Window, rule: FillingRule) -> Iterator[Outcome]:
    """Judge every filling of these cylinders anew, so that the order of arrival does not matter.

    What was found before and is not found now, because a late event or the register explains it, is withdrawn.
    """
    for cylinder in cylinders(conn, window):
        found: dict[str, dict[bytes, Evidence]] = defaultdict(dict)
        for act, value in rule.judge(cylinder):
            found[act.place][act.event_key] = Evidence(act.event_key, act.event_time, value)
        for place, evidence in sorted(found.items()):
            shown = sorted(evidence.values(), key=lambda one: (one.event_time, one.event_key))
            until = rule.wait_until(shown)
            yield Finding(
                group_key=f"{cylinder.uri}@{place}",
                subject=place,
                subject_kind=SubjectKind.ENTERPRISE,
                evidence=tuple(shown),
                values=rule.values(cylinder),
                provisional_until=until,
                is_due=until is None,
            )
        possible: dict[str, set[bytes]] = defaultdict(set)
        for act in (*cylinder.acts, *cylinder.wrong):
            possible[act.place].add(act.event_key)
        for place, keys in sorted(possible.items()):
            none = frozenset(keys - found.get(place, {}).keys())
            if none:
                why = "a late event or the register explains it, or it was declared wrong"
                yield Withdrawn(f"{cylinder.uri}@{place}", none, why)


def operators(conn: Connection, window: Window) -> Callable[[str], str]:
    """Place → USCC of its operator, empty when the register of places does not know; looked up once each."""
    told: dict[str, str] = {}

    def operator_of(place: str) -> str:
        if place not in told:
            row = catalog.places_of(conn, window.dialect, [place]).get(place)
            told[place] = row.operator_uscc if row is not None else ""
        return told[place]

    return operator_of


def register_values(cylinder: Cylinder) -> Mapping[str, str]:
    """What the register says, for the person who looks into it."""
    asset = cylinder.asset
    if asset is None:
        return {"register": ""}
    return {"owner": asset.owner, "register": asset.source, "as_of": asset.as_of.isoformat()}


def _concerns(one: Seen) -> bool:
    return one.event.is_correction or tells_act(one.event.body)


def _acts(history: History, bodies: Mapping[bytes, str]) -> tuple[tuple[Act, ...], tuple[Act, ...]]:
    return _filled(acts_in(history.parts, bodies)), _filled(acts_in(history.wrong, bodies))


def _filled(acts: Sequence[Act]) -> tuple[Act, ...]:
    return tuple(act for act in acts if act.kind is not ActKind.MAINTENANCE)
