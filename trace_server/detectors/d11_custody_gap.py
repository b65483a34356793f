"""D11 custody gap 去向断链: goods were sent out and nobody received them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from trace_core.epcis.cbv import BizStep
from trace_server.db import Connection
from trace_server.detect.detector import (
    Cleared,
    Detector,
    Evidence,
    Finding,
    History,
    Outcome,
    Param,
    Seen,
    SubjectKind,
    Window,
)
from trace_server.detect.history import histories, histories_of, whole_events
from trace_server.detect.steps import CUSTODY, END_STATES
from trace_server.ingest.model import LinkRole
from trace_server.ingest.store.parts import Part, children_of

_SHIPPING = BizStep.SHIPPING.uri
_VOID = BizStep.VOID_SHIPPING.uri
LEVELS = 3
"""Containers within containers that are looked into: item, case, pallet, lorry."""
_GOODS = (LinkRole.OBJECT, LinkRole.PARENT, LinkRole.CHILD)


def find(conn: Connection, window: Window, params: Mapping[str, float]) -> Iterator[Outcome]:
    """Judge the dispatches of everything that the window names, and of the containers that it was in."""
    wait = timedelta(hours=params["wait_h"])
    known = histories(conn, window)
    dispatches = _dispatches(known.values())
    around, at_hand = known, set(known)
    for _ in range(LEVELS):
        parents = {part.peer_key for history in around.values() for part in history.parts if _is_inside(part)}
        away = sorted(key for key in parents if key is not None and key not in at_hand)
        around = histories_of(conn, window, {key: key.hex() for key in away})
        at_hand |= around.keys()
        dispatches |= _dispatches(around.values())
    if not dispatches:
        return
    events = whole_events(conn, window, dispatches)
    goods = histories_of(conn, window, {ref.key: ref.uri for one in events for ref in one.objects})
    contents = _contents(conn, window, goods)
    for one in events:
        yield _judge(one, goods, contents, wait)


def _dispatches(found: Iterable[History]) -> set[bytes]:
    """Events that sent one of these out, also those that were declared wrong."""
    return {
        part.event_key
        for history in found
        for part in (*history.parts, *history.wrong)
        if part.role in _GOODS and part.biz_step == _SHIPPING
    }


def _contents(conn: Connection, window: Window, goods: Mapping[bytes, History]) -> Mapping[bytes, list[History]]:
    """Container → what was ever in it: a receiver who opens it names the contents."""
    found: dict[bytes, list[History]] = defaultdict(list)
    outer = {key: {key} for key in goods}
    for _ in range(LEVELS):
        inside = children_of(conn, window.dialect, sorted(outer))
        if not inside:
            break
        own = histories_of(conn, window, {part.object_key: part.object_key.hex() for part in inside})
        deeper: dict[bytes, set[bytes]] = defaultdict(set)
        for part in inside:
            if part.peer_key is not None:
                deeper[part.object_key] |= outer[part.peer_key]
        for key, containers in deeper.items():
            for container in containers:
                found[container].append(own[key])
        outer = dict(deeper)
    return found


def _is_inside(part: Part) -> bool:
    return part.role is LinkRole.CHILD


def _judge(
    one: Seen, goods: Mapping[bytes, History], contents: Mapping[bytes, list[History]], wait: timedelta
) -> Outcome:
    event = one.event
    group = event.event_key.hex()
    lost = [
        goods[ref.key].uri
        for ref in one.objects
        if not ref.is_class and _is_lost(event.event_key, event.event_time, goods[ref.key], contents.get(ref.key, []))
    ]
    if not lost:
        return Cleared(group, "received, sold or used later, or the dispatch was declared void or wrong")
    return Finding(
        group_key=group,
        subject=event.biz_location or event.read_point or event.source,
        subject_kind=SubjectKind.ENTERPRISE,
        evidence=(Evidence(event.event_key, event.event_time, f"{len(lost)} of {len(one.objects)} not received"),),
        values={"wait_h": f"{wait.total_seconds() / 3600:g}", "first": min(lost)},
        provisional_until=max(event.event_time, event.record_time) + wait,
        is_due=False,
        is_whole=True,
    )


def _is_lost(event_key: bytes, sent: datetime, item: History, inside: Sequence[History]) -> bool:
    if not any(part.event_key == event_key for part in item.parts):
        return False  # declared wrong
    return not any(_arrives(part, sent) for history in (item, *inside) for part in history.parts)


def _arrives(part: Part, sent: datetime) -> bool:
    """A later sign of life that is not the dispatch itself: somebody has it."""
    if part.event_time <= sent:
        return False
    if part.role is LinkRole.INPUT or part.biz_step == _VOID or part.disposition in END_STATES:
        return True
    return part.role in _GOODS and part.biz_step in CUSTODY and part.biz_step != _SHIPPING


DETECTOR = Detector(
    id="D11",
    version=1,
    title_zh="去向断链",
    title_en="Custody gap",
    subject_kind=SubjectKind.ENTERPRISE,
    guard="the alert waits until wait_h after the dispatch and after its upload; a receipt that a gateway uploads "
    "later clears it, also one of the contents of a container; lots without item codes are not judged",
    guard_zh="发货并上报后等满 wait_h 才预警；网关此后补报的收货记录会消除预警，容器内物品的收货记录也算；"
    "没有单品码的批次不予判断",
    basis="食品安全法 art. 51, 53; 药品管理法 art. 57",
    params=(
        Param("wait_h", 72, "h", "default, the office may change it: dispatch without receipt for more than 72 h"),
    ),
    find=find,
)
