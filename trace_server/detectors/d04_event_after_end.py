"""D04 event after end 终态后再现: an item is handed on or sold again after it was sold, used up or destroyed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from trace_server.db import Connection
from trace_server.detect.detector import (
    Cleared,
    Detector,
    Evidence,
    Finding,
    History,
    Outcome,
    Param,
    Severity,
    SubjectKind,
    Window,
)
from trace_server.detect.history import histories
from trace_server.detect.steps import CUSTODY, END_STATES, RETURNED, SALE, is_leaving_trade
from trace_server.ingest.model import ActionCode, LinkRole
from trace_server.ingest.store.parts import Part


def find(conn: Connection, window: Window, params: Mapping[str, float]) -> Iterator[Outcome]:
    """Judge every single item that the window names, by all that is stored of it."""
    same_act = timedelta(seconds=params["same_act_s"])
    for history in histories(conn, window).values():
        if not history.is_class:
            yield _judge(history, same_act)


def _judge(history: History, same_act: timedelta) -> Outcome:
    after = _after_end(history.parts, same_act)
    if not after:
        return Cleared(history.uri, "returned before, or the events were declared wrong")
    return Finding(
        group_key=history.uri,
        subject=history.uri,
        subject_kind=SubjectKind.ENTERPRISE,
        evidence=tuple(Evidence(part.event_key, part.event_time, value) for part, value in after),
        values={"same_act_s": f"{same_act.total_seconds():g}"},
        is_whole=True,
    )


def _after_end(parts: Sequence[Part], same_act: timedelta) -> list[tuple[Part, str]]:
    """Acts behind the end of the item's life, each with what ended it."""
    end: Part | None = None
    found = []
    for part in parts:
        if part.disposition == RETURNED:
            end = None
        elif end is not None and _is_act(part) and part.event_time - end.event_time > same_act:
            found.append((part, f"after {_word(end)} at {end.event_time.isoformat()}"))
        elif end is None and _ends(part):
            end = part
    return found


def _ends(part: Part) -> bool:
    if part.role is LinkRole.INPUT:
        return True  # used up by a transformation
    if part.role is not LinkRole.OBJECT:
        return False
    return part.biz_step in SALE or part.disposition in END_STATES or part.action is ActionCode.DELETE


def _is_act(part: Part) -> bool:
    """A sale, use, or change of custody. Waste is destroyed after it was sold: that is none."""
    if part.role is LinkRole.INPUT:
        return True
    return part.role is LinkRole.OBJECT and part.biz_step in CUSTODY and not is_leaving_trade(part)


def _word(part: Part) -> str:
    if part.role is LinkRole.INPUT:
        return "transformation"
    return (part.biz_step or part.disposition or "DELETE").rpartition("-")[2]


DETECTOR = Detector(
    id="D04",
    version=1,
    title_zh="终态后再现",
    title_en="Event after end",
    subject_kind=SubjectKind.ENTERPRISE,
    severity=Severity.HIGH,
    guard="a returned item lives again, destroying what was sold is allowed, and one act that two systems report "
    "within same_act_s is one",
    guard_zh="退货后的物品恢复流通；销毁已售出的物品是允许的；两个系统在 same_act_s 内上报的同一行为只算一次",
    basis="药品管理法 art. 12, 36, 57; a code may be sold once",
    params=(Param("same_act_s", 300, "s", "till and stock system report one sale; default, the office may change it"),),
    find=find,
)
