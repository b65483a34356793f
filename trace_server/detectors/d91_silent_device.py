"""D91 device silent 设备失联: nothing was heard of a gateway for longer than two heartbeats."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from trace_core.fleet import HEARTBEAT_S
from trace_server.accounts import store as accounts
from trace_server.accounts.model import GatewayState
from trace_server.db import Connection, Dialect
from trace_server.detect.detector import Cleared, Detector, Finding, Outcome, Param, Severity, SubjectKind
from trace_server.fleet import store as fleet


def sweep(conn: Connection, dialect: Dialect, now: datetime, params: Mapping[str, float]) -> Iterator[Outcome]:  # noqa: ARG001 – contract
    """Judge every gateway that was ever heard, by its newest heartbeat."""
    limit_s = params["heartbeat_s"] * params["missed"]
    active = set(accounts.ids_in_state(conn, GatewayState.ACTIVE))
    for gateway, heard_at in fleet.silent_since(conn, now):
        if gateway not in active:
            yield Cleared(gateway, "the gateway is not in use")
        elif now - heard_at <= timedelta(seconds=limit_s):
            yield Cleared(gateway, "a heartbeat came")
        else:
            yield Finding(
                group_key=gateway,
                subject=gateway,
                subject_kind=SubjectKind.DEVICE,
                evidence=(),
                values={"last_heartbeat": heard_at.isoformat(), "limit_s": f"{limit_s:g}"},
                began_at=heard_at,
            )


DETECTOR = Detector(
    id="D91",
    version=1,
    title_zh="设备失联",
    title_en="Device silent",
    subject_kind=SubjectKind.DEVICE,
    severity=Severity.LOW,
    guard="only approved gateways that were heard before; the next heartbeat closes the alert",
    guard_zh="只判断已批准且曾有心跳的网关；收到下一次心跳即消除预警",
    basis="operations",
    params=(
        Param("heartbeat_s", HEARTBEAT_S, "s", "what a gateway keeps to"),
        Param("missed", 2, "heartbeats", "default, the office may change it: silent for more than two heartbeats"),
    ),
    sweep=sweep,
)
