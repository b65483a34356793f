"""More captures than a process takes: the others are refused at once, and reading goes on."""

from __future__ import annotations

import pytest

from tests.fault.server.place import furnish
from tests.server.ingest.make import document, seen
from tests.server.portal import make
from trace_server.db import Database
from trace_server.ingest import admission


def test_when_all_places_are_taken_captures_are_refused_and_pages_served(database: Database) -> None:
    place = furnish(database)
    http = place.app.test_client()
    own = place.headers("events:capture") | {"Content-Type": "application/json"}
    taken = place.app.extensions[admission.__name__]
    for _ in range(7):
        taken.enter()
    with pytest.raises(admission.Overloaded):
        taken.enter()
    refused = http.post("/api/v1/capture", data=document(seen()), headers=own)
    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) > 0
    assert http.get(make.signed_path()).status_code == 200
    assert http.get("/api/v1/capture", headers=own).status_code == 200
    taken.leave()
    for number in range(9):  # each gives its place back, also after a refusal of what it says
        assert http.post("/api/v1/capture", data=document(seen(number)), headers=own).status_code == 202
        assert http.post("/api/v1/capture", data=b"{", headers=own).status_code == 400
