"""What the rules of special equipment share: acts with a registered thing that its dates forbid."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from trace_server.db import Connection
from trace_server.detect.detector import Evidence, Finding, History, Outcome, Seen, SubjectKind, Window, Withdrawn
from trace_server.detect.history import histories
from trace_server.detect.steps import LEGAL_TIME, is_leaving_trade
from trace_server.equipment import store as equipment
from trace_server.equipment.model import Asset, Inspection
from trace_server.equipment.rules import as_of
from trace_server.ingest.model import LinkRole
from trace_server.ingest.store.parts import Part

_GOODS = frozenset({LinkRole.OBJECT, LinkRole.CHILD, LinkRole.PARENT})


@dataclass(frozen=True, slots=True)
class AssetRule:
    """A rule that follows from the register's facts of one thing and one act with it."""

    steps: frozenset[str]
    """Business steps of the acts, as URIs."""
    judge: Callable[[Part, Asset], str]
    """What was computed, empty: the act is fine."""
    values: Callable[[Asset], Mapping[str, str]]


def asset_findings(conn: Connection, window: Window, rule: AssetRule) -> Iterator[Outcome]:
    """Judge every such act with the registered things that the window's acts and declarations name.

    Each act is judged by the dates that held on its day: a later inspection does not make an earlier act a lawful
    one. Evidence is only taken away by a declared error.
    """
    keys = {ref.key for one in window.events if _concerns(one, rule) for ref in one.objects if not ref.is_class}
    if not keys or not equipment.has_assets(conn):
        return
    known = histories(conn, window)
    uris = {known[key].uri for key in keys}
    named = equipment.assets_of(conn, window.dialect, uris)
    inspected = equipment.inspections(conn, window.dialect, named)
    for key in sorted(keys):
        asset = named.get(known[key].uri)
        if asset is not None:
            yield from _judge(known[key], asset, inspected.get(asset.uri, []), rule)


def _concerns(one: Seen, rule: AssetRule) -> bool:
    return one.event.biz_step in rule.steps or one.event.is_correction


def _judge(history: History, asset: Asset, inspections: list[Inspection], rule: AssetRule) -> Iterator[Outcome]:
    found: dict[str, list[Evidence]] = defaultdict(list)
    for part in history.parts:
        if not _is_act(part, rule):
            continue
        value = rule.judge(part, as_of(asset, inspections, part.event_time.astimezone(LEGAL_TIME).date()))
        if value:
            found[_place(part)].append(Evidence(part.event_key, part.event_time, value))
    for place, evidence in sorted(found.items()):
        kind = SubjectKind.ENTERPRISE
        yield Finding(f"{asset.uri}@{place}", place, kind, tuple(evidence), rule.values(asset))
    wrong: dict[str, set[bytes]] = defaultdict(set)
    for part in history.wrong:
        wrong[_place(part)].add(part.event_key)
    for place, event_keys in sorted(wrong.items()):
        yield Withdrawn(f"{asset.uri}@{place}", frozenset(event_keys), "the events were declared wrong")


def _is_act(part: Part, rule: AssetRule) -> bool:
    return part.role in _GOODS and part.biz_step in rule.steps and not is_leaving_trade(part)


def _place(part: Part) -> str:
    return part.biz_location or part.read_point or part.source
