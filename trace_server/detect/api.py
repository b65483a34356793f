"""JSON routes of the alerts."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from apiflask import APIBlueprint
from pydantic import BaseModel, ConfigDict, Field

from trace_server.accounts.access import permission
from trace_server.detect import operations, wire
from trace_server.detect.model import AlertState
from trace_server.ingest.wire import read_place, write_place
from trace_server.services import services

blueprint = APIBlueprint("detect", __name__, url_prefix="/api/v1", tag="Alerts")


class AlertsIn(BaseModel):
    """Which alerts, where to go on, how many."""

    model_config = ConfigDict(extra="forbid")

    cursor: str = Field(default="", max_length=128, description="`next_cursor` of the answer before; empty: the start")
    limit: int = Field(default=50, ge=1, le=500)
    rule: str = Field(default="", pattern=r"^(D[0-9]{2})?$", description="Id of a detector")
    state: Literal["", "waiting", "open", "cleared"] = Field(default="", description="Empty: open and cleared")


class EvidenceOut(BaseModel):
    """An event that shows it, and what was computed from that event."""

    event: str
    event_time: datetime
    value: str


class AlertOut(BaseModel):
    """A suspicion (疑似), never a finding of fact: one cause, however many events show it."""

    id: str
    rule: str
    rule_version: int
    state: Literal["waiting", "open", "cleared"]
    subject_kind: Literal["enterprise", "device", "data"]
    provisional_until: datetime | None
    subject: str
    region: str = Field(description="GB/T 2260 code, empty when nobody knows")
    group: str
    count: int
    first_seen: datetime
    last_seen: datetime
    opened_at: datetime
    cleared_why: str
    values: dict[str, str]
    evidence: list[EvidenceOut]


class AlertsOut(BaseModel):
    """Alerts in the order they were opened."""

    items: list[AlertOut]
    next_cursor: str
    has_more: bool
    as_of: datetime


@blueprint.get("/alerts")
@permission("events:read")
@blueprint.input(AlertsIn, location="query")
@blueprint.output(AlertsOut)
@blueprint.doc(summary="List the alerts", responses=[503])
def list_alerts(query_data: AlertsIn) -> AlertsOut:
    """Oldest first."""
    outside = services()
    now = outside.clock()
    found = operations.read_alerts(
        outside.db,
        rule_id=query_data.rule,
        state=AlertState(query_data.state) if query_data.state else None,
        after=read_place(query_data.cursor),
        limit=query_data.limit + 1,
    )
    page = found[: query_data.limit]
    return AlertsOut(
        items=[AlertOut.model_validate(wire.alert_json(alert, now)) for alert in page],
        next_cursor=write_place(page[-1].opened_at, page[-1].alert_key) if page else query_data.cursor,
        has_more=len(found) > len(page),
        as_of=now,
    )
