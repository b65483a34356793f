"""D92 gap at a gate 记录缺口: a gateway had no room and says how many reads it could not keep. Concerns the device."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping

from trace_server.db import Connection
from trace_server.detect.detector import Detector, Evidence, Finding, Outcome, Param, Severity, SubjectKind, Window
from trace_server.ingest.model import StoredEvent

FIELD = '"suyuan:gapCount"'
"""As a gateway writes it (docs/adr/0008-gap-records-are-events.md)."""


def find(conn: Connection, window: Window, params: Mapping[str, float]) -> Iterator[Outcome]:  # noqa: ARG001 – contract
    """Gap records of gateways; what a client posts says nothing about a gate."""
    groups: dict[str, list[Evidence]] = defaultdict(list)
    for seen in window.events:
        event = seen.event
        count = _lost(event)
        if event.gateway is not None and count >= params["min_reads"]:
            groups[event.gateway].append(Evidence(event.event_key, event.event_time, f"{count} reads"))
    for gateway, evidence in sorted(groups.items()):
        yield Finding(
            group_key=gateway,
            subject=gateway,
            subject_kind=SubjectKind.DEVICE,
            evidence=tuple(evidence),
            values={name: f"{value:g}" for name, value in params.items()},
        )


def _lost(event: StoredEvent) -> int:
    """Reads that the gateway could not keep; 0 for every other event."""
    if FIELD not in event.body:
        return 0
    count = json.loads(event.body).get(FIELD.strip('"'))
    return count if isinstance(count, int) else 0


DETECTOR = Detector(
    id="D92",
    version=1,
    title_zh="设备记录缺口",
    title_en="Gap in a gate's records",
    subject_kind=SubjectKind.DEVICE,
    severity=Severity.LOW,
    guard="the gateway itself reports it; reads that a broker or reader kept are not counted",
    guard_zh="由网关自行上报；由消息代理或读写器留存的读取不计",
    basis="operations",
    params=(Param("min_reads", 1, "reads", "default, the office may change it: every gap is a person's business"),),
    find=find,
)
