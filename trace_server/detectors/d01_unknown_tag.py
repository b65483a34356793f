"""D01 unknown tag 未知标签: a gate saw a code that nobody commissioned, or one of another's range was made."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from trace_core.epcis.event_hash import Role
from trace_server.accounts import store as accounts
from trace_server.catalog import store as catalog
from trace_server.db import Connection
from trace_server.detect.detector import (
    Cleared,
    Detector,
    Evidence,
    Finding,
    History,
    Outcome,
    Param,
    SubjectKind,
    Window,
    Withdrawn,
)
from trace_server.detect.history import histories
from trace_server.detect.ranges import makings
from trace_server.detect.steps import LEGAL_TIME
from trace_server.equipment.store import assets_of
from trace_server.ingest.model import CLIENT, GATEWAY, ActionCode, LinkRole, StoredEvent
from trace_server.ingest.store.parts import Part

_NAMED = (Role.OBJECT, Role.OUTPUT)


def find(conn: Connection, window: Window, params: Mapping[str, float]) -> Iterator[Outcome]:
    """Judge every item that the window's events name, by all that is stored of it."""
    known = histories(conn, window)
    keys = {ref.key for seen in window.events for ref in seen.objects if ref.role in _NAMED and not ref.is_class}
    grace = timedelta(seconds=params["grace_s"])
    made = {key for key in keys if any(_makes(part) for part in known[key].parts)}
    # A cylinder of many years was never commissioned by an event: the register knows it.
    registered = assets_of(conn, window.dialect, sorted(known[key].uri for key in keys - made))
    for key in sorted(keys):
        if known[key].uri in registered:
            yield Cleared(known[key].uri, "in the register of special equipment")
        else:
            yield _judge(known[key], grace, is_made=key in made)
    yield from _foreign(conn, window)


def _foreign(conn: Connection, window: Window) -> Iterator[Outcome]:
    """Items made by somebody else than the one whom their serials were granted to."""
    events, ranges = makings(conn, window)
    if not events:
        return
    parties = _parties(
        conn, window, [*(one.seen.event for one in events), *(part for one in events for part in one.wrong)]
    )
    found: dict[tuple[str, str], list[Evidence]] = defaultdict(list)
    wrong: dict[tuple[str, str], set[bytes]] = defaultdict(set)
    for one in events:
        event, party = one.seen.event, parties[one.seen.event.event_key]
        day = event.event_time.astimezone(LEGAL_TIME).date()
        owners = {
            row.range_id: row.uscc
            for item in one.items
            for row in ranges[item.gtin or ""]
            if row.held_on(day) and row.span.holds(item.serial or "")
        }
        for range_id, owner in owners.items():
            for part in one.wrong:
                wrong[parties[part.event_key], range_id].add(part.event_key)
            if party not in ("", owner) and not one.is_wrong:
                told = f"{range_id} was granted to {owner}"
                found[party, range_id].append(Evidence(event.event_key, event.event_time, told))
    for (party, range_id), evidence in sorted(found.items()):
        yield Finding(f"{range_id}/{party}", party, SubjectKind.ENTERPRISE, tuple(evidence))
    for (party, range_id), event_keys in sorted(wrong.items()):
        yield Withdrawn(f"{range_id}/{party}", frozenset(event_keys), "the events were declared wrong")


def _parties(conn: Connection, window: Window, events: Sequence[StoredEvent | Part]) -> Mapping[bytes, str]:
    """Event → USCC of who sent it, by the credential: a client's company, or who runs the gateway's place; "" for
    nobody known."""
    clients = {one.source.removeprefix(CLIENT) for one in events if one.source.startswith(CLIENT)}
    acting = accounts.subjects_of(conn, clients) if clients else {}
    points = {one.read_point for one in events if one.source.startswith(GATEWAY) and one.read_point}
    places = catalog.places(conn, window.dialect, points)
    found: dict[bytes, str] = {}
    for one in events:
        place = places.get(one.read_point or "") if one.source.startswith(GATEWAY) else None
        found[one.event_key] = place.operator_uscc if place else acting.get(one.source.removeprefix(CLIENT), "")
    return found


def _judge(history: History, grace: timedelta, *, is_made: bool) -> Outcome:
    if is_made:
        return Cleared(history.uri, "commissioned by an event that came later")
    reads = [part for part in history.parts if _is_read(part)]
    if not reads:
        return Cleared(history.uri, "every read was declared an error")
    return Finding(
        group_key=history.uri,
        subject=history.uri,
        subject_kind=SubjectKind.ENTERPRISE,
        evidence=tuple(Evidence(part.event_key, part.event_time, part.read_point or "") for part in reads),
        values={"grace_s": f"{grace.total_seconds():g}"},
        provisional_until=min(part.record_time for part in reads) + grace,
    )


def _makes(part: Part) -> bool:
    if part.role is LinkRole.PARENT and part.action is ActionCode.ADD:
        return True  # an SSCC comes into being when its case is packed (GS1 General Specifications §2.2)
    return part.role is LinkRole.OUTPUT or (part.role is LinkRole.OBJECT and part.action is ActionCode.ADD)


def _is_read(part: Part) -> bool:
    return part.role is LinkRole.OBJECT and part.action is ActionCode.OBSERVE and part.is_gateway


DETECTOR = Detector(
    id="D01",
    version=1,
    title_zh="未知标签",
    title_en="Unknown tag",
    subject_kind=SubjectKind.ENTERPRISE,
    guard="counts as a data fault for grace_s after the first read: the producer's upload may be late; who made a code "
    "of another's range is told by the credential, and a sender that acts for no company is not judged",
    guard_zh="首次读取后 grace_s 内只算数据问题，因为生产单位可能迟报；谁用了他人号段赋码，以发送凭证为准；"
    "发送方不代表任何企业的，不予判断",
    basis="食品安全法 art. 42",
    params=(Param("grace_s", 86_400, "s", "default, the office may change it: wait 24 h for late upload"),),
    find=find,
)
