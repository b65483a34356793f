"""Other people's queries and documents: each query selects exactly the event it describes, each event is found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.conformance.test_epcis_http import Client, client, events_of
from tests.conformance.test_epcis_json import report, valid_documents
from tests.server.ingest.make import CONTEXT, seen
from trace_core.epcis.document import event_from_json
from trace_core.epcis.event_hash import event_hash
from trace_server.accounts.model import Role
from trace_server.query.matching import matches
from trace_server.query.parameters import parse_query

__all__ = ["client"]


def described(query: dict[str, Any]) -> dict[str, Any]:
    """An event that the query of the folder describes."""
    return seen(
        1,
        eventTime=query["GE_eventTime"],
        action=query["EQ_action"][0],
        bizStep=query["EQ_bizStep"][0],
        disposition=query["EQ_disposition"][0],
        bizLocation={"id": query["EQ_bizLocation"][0]},
        epcList=query["MATCH_epc"],
        quantityList=[{"epcClass": "urn:epc:class:lgtin:9521141.001234.L1", "quantity": query["GE_quantity"]}],
    )


def test_every_query_selects_what_it_describes_and_nothing_else(conformance: Path) -> None:
    files = sorted((conformance / "queries").glob("*.json"))
    assert files
    for path in files:
        body = json.loads(path.read_text())
        query = parse_query(body)
        wanted = described(body)
        assert matches(event_from_json(wanted, CONTEXT), query), path
        others: tuple[dict[str, Any], ...] = (
            {"action": "DELETE"},
            {"bizStep": "receiving"},
            {"disposition": "retail_sold"},
            {"epcList": ["https://id.gs1.org/01/09521141012345/21/2018"]},
            {"bizLocation": {"id": "https://id.gs1.org/414/9521141123469"}},
            {"eventTime": body["LT_eventTime"]},
            {"quantityList": None},
        )
        for change in others:
            other = {name: value for name, value in (wanted | change).items() if value is not None}
            assert not matches(event_from_json(other, CONTEXT), query), (path, change)
    report(f"{len(files)} query documents select what they describe and nothing else")


def test_every_event_is_found_by_its_eventid_over_http(client: Client, conformance: Path) -> None:
    found = 0
    for path in valid_documents(conformance)[:40]:
        client.another_sender()
        assert client.send(path).status_code == 202, path
        for event in events_of(path):
            name = event.event_id or event_hash(event)
            answer = client.http.get(
                "/api/v1/events",
                query_string={
                    "EQ_eventID": name,
                    "eventType": event.type,
                    "GE_eventTime": event.event_time.isoformat(),
                },
                headers=client.bearer(Role.REGULATOR),
            )
            assert answer.status_code == 200, (path, answer.json)
            assert answer.json["epcisBody"]["queryResults"]["resultsBody"]["eventList"], (path, name)
            found += 1
    report(f"{found} events found by a query for their eventID")
