"""Whose an alert is: the region of who answers for what was seen."""

from __future__ import annotations

from trace_server.accounts import store as accounts
from trace_server.catalog import store as catalog
from trace_server.db import Connection, Dialect
from trace_server.detect.detector import Finding
from trace_server.ingest.store.parts import events_with


def region_of(conn: Connection, dialect: Dialect, finding: Finding) -> str:
    """GB/T 2260 code: of the company that the finding is about, else of who runs the place of the newest evidence, else
    of who runs the gate; "" when the register knows none of them."""
    company = catalog.subject(conn, finding.subject)
    if company is not None:
        return company.region
    newest = max(finding.evidence, key=lambda one: (one.event_time, one.event_key), default=None)
    if newest is not None:
        seen = events_with(conn, dialect, [newest.event_key])
        uris = [uri for event in seen for uri in (event.read_point, event.biz_location) if uri]
    else:
        uris = list(accounts.read_points_of(conn, finding.subject) or ())
    places = catalog.places(conn, dialect, uris)
    operators = [places[uri].operator_uscc for uri in uris if uri in places]
    known = catalog.subjects(conn, dialect, [uscc for uscc in operators if uscc])
    return next((known[uscc].region for uscc in operators if uscc in known and known[uscc].region), "")
