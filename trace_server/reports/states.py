"""The life of a report: state → event → next state. Superseded and expired are read from the records and the day."""

from __future__ import annotations

from trace_server.reports.model import ReportEvent, ReportState

TRANSITIONS: dict[ReportState, dict[ReportEvent, ReportState]] = {
    ReportState.REQUESTED: {ReportEvent.ISSUE: ReportState.ISSUED},
    ReportState.ISSUED: {ReportEvent.WITHDRAW: ReportState.WITHDRAWN},
    ReportState.WITHDRAWN: {},
}
