"""D15 listed party 名单主体交易: a party makes, sends, takes in or sells goods although a measure restricts it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime

from trace_core.errors import IdentifierError
from trace_core.ids import uscc
from trace_server.catalog import operations as catalog
from trace_server.db import Connection, Dialect
from trace_server.detect import store
from trace_server.detect.detector import Detector, Evidence, Finding, Outcome, Seen, SubjectKind, Window, Withdrawn
from trace_server.detect.history import declared_wrong, histories
from trace_server.detect.model import AlertState
from trace_server.detect.steps import LEGAL_TIME, OUTBOUND, RECEIPT, SALE, is_leaving
from trace_server.ingest.model import ActionCode, EventType, StoredEvent
from trace_server.lists import store as lists
from trace_server.lists.model import Effect, Membership
from trace_server.lists.rules import measures

RULE = "D15"
_USCC_LENGTH = 18
_OTHERS = ('"sourceList"', '"destinationList"')


def find(conn: Connection, window: Window, params: Mapping[str, float]) -> Iterator[Outcome]:  # noqa: ARG001 – contract
    """Judge every act of trade in the window by its own parties."""
    acts = {one.event.event_key: act for one in window.events if (act := _act(one.event))}
    trading = [one for one in window.events if one.event.event_key in acts]
    parties = _parties(conn, window.dialect, trading)
    members = _members(conn, window.dialect, {code for some in parties.values() for code in some})
    suspects = [one for one in trading if not members.keys().isdisjoint(parties[one.event.event_key])]
    if not suspects:
        return
    known = histories(conn, window)
    found: dict[str, list[Evidence]] = defaultdict(list)
    wrong: dict[str, set[bytes]] = defaultdict(set)
    for one in suspects:
        event = one.event
        for code in sorted(parties[event.event_key] & members.keys()):
            wrong[code] |= declared_wrong(known, one)
            value = _value(members[code], acts[event.event_key], event.event_time)
            if value and not event.is_correction and event.event_key not in wrong[code]:
                found[code].append(Evidence(event.event_key, event.event_time, value))
    for code, evidence in sorted(found.items()):
        yield Finding(code, code, SubjectKind.ENTERPRISE, tuple(evidence))
    for code, event_keys in sorted(wrong.items()):
        if event_keys:
            yield Withdrawn(code, frozenset(event_keys), "the events were declared wrong")


def sweep(conn: Connection, dialect: Dialect, now: datetime, params: Mapping[str, float]) -> Iterator[Outcome]:  # noqa: ARG001 – contract
    """Take back what rests on a listing that was revoked: no event tells of that."""
    after: tuple[datetime, bytes] | None = None
    while page := store.alerts(conn, dialect, rule_id=RULE, state=AlertState.OPEN, after=after):
        after = page[-1].opened_at, page[-1].alert_key
        members = _members(conn, dialect, {alert.subject for alert in page})
        for alert in page:
            own = members.get(alert.subject, [])
            gone = [
                one.event_key
                for one in alert.evidence
                if not _value(own, one.value.partition(":")[0], one.event_time)
            ]  # fmt: skip
            if gone:
                yield Withdrawn(alert.group_key, frozenset(gone), "the listing was revoked, or ended before")


def _act(event: StoredEvent) -> str:
    """What of the goods' way the event is, "" for no trade."""
    if is_leaving(event.biz_step, event.disposition):
        return ""
    for steps, act in ((SALE, "sale"), (OUTBOUND, "dispatch"), (RECEIPT, "receipt")):
        if event.biz_step in steps:
            return act
    is_made = event.type is EventType.TransformationEvent
    return "making" if is_made or (event.type is EventType.ObjectEvent and event.action is ActionCode.ADD) else ""


def _parties(conn: Connection, dialect: Dialect, events: Iterable[Seen]) -> dict[bytes, set[str]]:
    """Event → USCCs of who runs its place, and of those named as its sources and destinations."""
    named = {one.event.event_key: set(_places(one.event)) for one in events}
    known = catalog.places_of(conn, dialect, {uri for some in named.values() for uri in some})
    return {
        key: {known[uri].operator_uscc if uri in known else _code(uri) for uri in some} - {""}
        for key, some in named.items()
    }


def _places(event: StoredEvent) -> Iterator[str]:
    for uri in (event.biz_location, event.read_point):
        if uri:
            yield uri
    if any(word in event.body for word in _OTHERS):
        body = json.loads(event.body)
        yield from (one["source"] for one in body.get("sourceList", ()) if "source" in one)
        yield from (one["destination"] for one in body.get("destinationList", ()) if "destination" in one)


def _code(uri: str) -> str:
    """The USCC that a party's URI ends in, "" for none."""
    try:
        return uscc.parse(uri[-_USCC_LENGTH:]).code
    except IdentifierError:
        return ""


def _members(conn: Connection, dialect: Dialect, codes: set[str]) -> dict[str, list[Membership]]:
    found: dict[str, list[Membership]] = defaultdict(list)
    for row in lists.of_subjects(conn, dialect, codes) if codes else ():
        found[row.uscc].append(row)
    return found


def _value(members: Iterable[Membership], act: str, moment: datetime) -> str:
    """Act and measures that cover it on that day, "" when none does."""
    day: date = moment.astimezone(LEGAL_TIME).date()
    held = {row.list_id for row in members if row.holds(day)}
    names = [
        f"{measure.id} ({measure.effect.value})"
        for measure in measures()
        if measure.list in held
        and act in measure.acts
        and measure.effective_from <= day
        and measure.effect is not Effect.ALLOW
    ]
    return f"{act}: {', '.join(names)}" if names else ""


DETECTOR = Detector(
    id=RULE,
    version=1,
    title_zh="名单主体交易",
    title_en="Listed party",
    subject_kind=SubjectKind.ENTERPRISE,
    guard="only acts that a measure in force on the day of the event covers by its text (trace_server/lists/"
    "measures.toml, `acts`); goods that go back or to destruction are free; a listing that was revoked takes back "
    "what rests on it; a listing entered late is found by a back-fill",
    guard_zh="只判断事件当日有效的措施按其文字所涵盖的行为（trace_server/lists/measures.toml 的 acts）；"
    "退货或送去销毁的货物除外；列入被撤销的，以其为据的预警随之撤回；迟录入的列入由回溯补查发现",
    basis="食品安全法 art. 135; the legal basis of each measure",
    params=(),
    find=find,
    sweep=sweep,
    sweep_every_s=600.0,
)
