"""D03 TID mismatch 标签克隆: one EPC is read from a chip other than the one it was bound to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from trace_core.epcis.cbv import BizStep
from trace_server.db import Connection
from trace_server.detect.detector import (
    Cleared,
    Detector,
    Evidence,
    Finding,
    Outcome,
    Param,
    Severity,
    SubjectKind,
    Window,
)
from trace_server.detect.history import histories
from trace_server.ingest.model import LinkRole, StoredEvent
from trace_server.ingest.store.parts import Part, bodies_with

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
    parts = {key: [part for part in known[key].parts if part.role is LinkRole.OBJECT] for key in items}
    keys = sorted({part.event_key for own in parts.values() for part in own})
    tids = {key: _tid(body) for key, body in bodies_with(conn, window.dialect, keys, FIELD).items()}
    for key in sorted(items):
        yield _judge(known[key].uri, parts[key], tids, int(params["min_bits"]))


def _judge(uri: str, parts: Sequence[Part], tids: Mapping[bytes, str], min_bits: int) -> Outcome:
    bound = ""
    evidence = []
    for part in parts:
        if part.biz_step in _RETAG:
            bound = ""
        tid = tids.get(part.event_key, "")
        if len(tid) * 4 < min_bits:
            continue
        if not bound:
            bound = tid
        elif not (tid.startswith(bound) or bound.startswith(tid)):
            evidence.append(Evidence(part.event_key, part.event_time, f"{tid}, bound {bound}"))
    if not evidence:
        return Cleared(uri, "a new tag was put on before, or the reads were declared wrong")
    return Finding(uri, uri, SubjectKind.ENTERPRISE, tuple(evidence), {"min_bits": str(min_bits)}, is_whole=True)


def _may_bind(event: StoredEvent) -> bool:
    return FIELD in event.body or event.biz_step in _RETAG


def _tid(body: str) -> str:
    """Hex, upper case; empty: the event tells none, or names several items: a TID is of one tag."""
    event = msgspec.json.decode(body)
    tid = event.get(FIELD)
    return tid.upper() if isinstance(tid, str) and len(event.get("epcList") or ()) == 1 else ""


DETECTOR = Detector(
    id="D03",
    version=1,
    title_zh="标签克隆",
    title_en="TID mismatch",
    subject_kind=SubjectKind.ENTERPRISE,
    severity=Severity.HIGH,
    guard="the first TID by event time binds; an event that encodes, repairs or replaces the tag binds anew; readers "
    "that tell a shorter part of the same TID agree, one below min_bits says nothing",
    guard_zh="按事件时间以首个 TID 为准；写码、修复或更换标签的事件重新绑定；"
    "读写器只报同一 TID 的较短部分的，视为一致；短于 min_bits 的不作判断",
    basis="食品安全法 art. 42; 药品管理法 art. 12, 36",
    params=(Param("min_bits", 64, "bit", "serialised TID, GS1 EPC Tag Data Standard §16.2"),),
    find=find,
)
