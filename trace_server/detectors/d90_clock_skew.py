"""D90 clock skew: a gateway's clock and the server's do not agree. Concerns the device, never an enterprise."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from trace_server.db import Connection
from trace_server.detect.detector import Detector, Evidence, Finding, Outcome, Param, Severity, SubjectKind, Window
from trace_server.ingest.model import StoredEvent


def find(conn: Connection, window: Window, params: Mapping[str, float]) -> Iterator[Outcome]:  # noqa: ARG001 – contract
    """Compare the time at which a batch says it was made with the time it came."""
    groups: dict[str, list[Evidence]] = defaultdict(list)
    for seen in window.events:
        event = seen.event
        skew_s = _skew_s(event, params)
        if event.gateway is not None and skew_s:
            groups[event.gateway].append(Evidence(event.event_key, event.event_time, f"{skew_s:+.0f} s"))
    for gateway, evidence in sorted(groups.items()):
        yield Finding(
            group_key=gateway,
            subject=gateway,
            subject_kind=SubjectKind.DEVICE,
            evidence=tuple(evidence),
            values={name: f"{value:g}" for name, value in params.items()},
        )


def _skew_s(event: StoredEvent, params: Mapping[str, float]) -> float:
    """Seconds that the gateway is ahead (+) or behind (−); 0 within the limits."""
    if event.sender_wall is None:
        return 0.0
    ahead_s = (event.sender_wall - event.record_time).total_seconds()
    behind_limit_s = params["max_skew_s"] + params["delivery_s"]
    return ahead_s if ahead_s > params["max_skew_s"] or ahead_s < -behind_limit_s else 0.0


DETECTOR = Detector(
    id="D90",
    version=1,
    title_zh="设备时钟偏差",
    title_en="Device clock skew",
    subject_kind=SubjectKind.DEVICE,
    severity=Severity.LOW,
    guard="a slow line makes a clock look late, never early: delivery_s is allowed on that side",
    guard_zh="线路慢只会使时钟显得偏慢，不会显得偏快：偏慢一侧放宽 delivery_s",
    basis="operations",
    params=(
        Param("max_skew_s", 60, "s", "default, the office may change it"),
        Param("delivery_s", 120, "s", "longest way of a batch over a 2G line, trace_core.uplink"),
    ),
    find=find,
)
