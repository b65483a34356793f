"""What the rules of special equipment share: acts with a registered thing that its dates forbid."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from trace_server.blocklist import store as assets
from trace_server.blocklist.model import Asset
from trace_server.db import Connection
from trace_server.detect.detector import Evidence, Finding, History, Outcome, Seen, SubjectKind, Window, Withdrawn
from trace_server.detect.history import histories
from trace_server.detect.steps import is_leaving_trade
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

    Evidence is only taken away by a declared error: the register holds the newest dates, and a later inspection does
    not make an earlier act a lawful one.
    """
    keys = {ref.key for one in window.events if _concerns(one, rule) for ref in one.objects if not ref.is_class}
    if not keys or not assets.has_assets(conn):
        return
    known = histories(conn, window)
    named = assets.assets_of(conn, window.dialect, {known[key].uri for key in keys})
    for key in sorted(keys):
        asset = named.get(known[key].uri)
        if asset is not None:
            yield from _judge(known[key], asset, rule)


def _concerns(one: Seen, rule: AssetRule) -> bool:
    return one.event.biz_step in rule.steps or one.event.is_correction


def _judge(history: History, asset: Asset, rule: AssetRule) -> Iterator[Outcome]:
    found: dict[str, list[Evidence]] = defaultdict(list)
    for part in history.parts:
        value = rule.judge(part, asset) if _is_act(part, rule) else ""
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
