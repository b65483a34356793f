"""D03 TID mismatch 标签克隆: one EPC is read from a chip other than the one it was bound to."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from trace_core.epcis.cbv import BizStep
from trace_server.db import Connection
from trace_server.detect.detector import Cleared, Detector, Evidence, Finding, Outcome, Param, SubjectKind, Window
from trace_server.detect.history import histories, whole_events
from trace_server.ingest.model import LinkRole, StoredEvent

FIELD = "suyuan:tid"
_RETAG = frozenset(step.uri for step in (BizStep.ENCODING, BizStep.REPLACING, BizStep.REPAIRING))


def find(conn: Connection, window: Window, params: Mapping[str, float]) -> Iterator[Outcome]:
    """Judge every item of which the window holds a TID, a new tag, or a word that such an event was wrong."""
    items = {
        ref.key
        for one in window.events
        if _may_bind(one.event) or one.event.is_correction
        for ref in one.objects
        if not ref.is_class
    }
    known = histories(conn, window)
    own = {key: {part.event_key for part in known[key].parts if part.role is LinkRole.OBJECT} for key in items}
    bodies = whole_events(conn, window, {event for events in own.values() for event in events})
    events: dict[bytes, list[StoredEvent]] = defaultdict(list)
    for one in bodies:
        ref = one.objects[0]
        if len(one.objects) == 1 and one.event.event_key in own.get(ref.key, ()):  # a TID is of one tag
            events[ref.key].append(one.event)
    for key in sorted(items):
        yield _judge(known[key].uri, events[key], int(params["min_bits"]))


def _judge(uri: str, events: Sequence[StoredEvent], min_bits: int) -> Outcome:
    bound = ""
    evidence = []
    for event in events:
        if event.biz_step in _RETAG:
            bound = ""
        tid = _tid(event)
        if len(tid) * 4 < min_bits:
            continue
        if not bound:
            bound = tid
        elif not (tid.startswith(bound) or bound.startswith(tid)):
            evidence.append(Evidence(event.event_key, event.event_time, f"{tid}, bound {bound}"))
    if not evidence:
        return Cleared(uri, "a new tag was put on before, or the reads were declared wrong")
    return Finding(uri, uri, SubjectKind.ENTERPRISE, tuple(evidence), {"min_bits": str(min_bits)}, is_whole=True)


def _may_bind(event: StoredEvent) -> bool:
    return FIELD in event.body or event.biz_step in _RETAG


def _tid(event: StoredEvent) -> str:
    """Hex, upper case; empty: the event tells none."""
    if FIELD not in event.body:
        return ""
    tid = json.loads(event.body).get(FIELD)
    return tid.upper() if isinstance(tid, str) else ""


DETECTOR = Detector(
    id="D03",
    version=1,
    title_zh="标签克隆",
    title_en="TID mismatch",
    subject_kind=SubjectKind.ENTERPRISE,
    guard="the first TID by event time binds; an event that encodes, repairs or replaces the tag binds anew; readers "
    "that tell a shorter part of the same TID agree, one below min_bits says nothing",
    basis="食品安全法 art. 42; 药品管理法 art. 12, 36; domain.md D03",
    params=(Param("min_bits", 64, "bit", "serialised TID, GS1 EPC Tag Data Standard §16.2"),),
    find=find,
)
