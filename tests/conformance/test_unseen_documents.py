"""Valid documents that nobody published are captured too, and come back with everything that was in them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from tests.conformance import unseen
from tests.conformance.test_epcis_http import XML, Client, check_comes_back, client
from tests.conformance.test_epcis_json import report
from trace_core.epcis.document import events_from_document
from trace_core.epcis.event import Event
from trace_core.epcis.event_hash import event_hash
from trace_core.epcis.json_values import read_time
from trace_core.epcis.jsonld import STANDARD
from trace_core.errors import EventError
from trace_server.accounts.model import Role
from trace_server.epcis_xml.parsing import parse
from trace_server.epcis_xml.reader import events_from_xml
from trace_server.epcis_xml.schema import complaints
from trace_server.ingest.schema import FILE
from trace_server.query.matching import as_number

__all__ = ["client"]
NEVER = {"GS1-EPC-Format": "Never_Translates"}


@cache
def schema() -> jsonschema_rs.Draft7Validator:
    text = files("trace_server.ingest").joinpath("schemas", FILE).read_text(encoding="utf-8")
    return jsonschema_rs.Draft7Validator(json.loads(text), validate_formats=True)


def leaves(value: Any, name: str = "") -> Iterator[str]:
    """Texts and numbers of an event, times in UTC, vocabulary words without what stands before them."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key != "@context":
                yield from leaves(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item, name)
    elif name.endswith(("ime", "recordTime")):
        yield json.dumps(time(value))
    elif name in ("type", "bizStep", "disposition", "set", "unset", "reason", "exception", "component"):
        yield json.dumps(str(value).replace("-", ":").replace("/", ":").rpartition(":")[2])
    else:
        yield json.dumps(value)


def essence(text: str) -> object:
    """A number, a moment, or the last part of a text, whose prefix may be spelled in other ways."""
    number = as_number(text)
    if number is not None:
        return number
    moment = time(text.strip())
    return as_number(moment) or moment.replace("-", ":").replace("/", ":").rpartition(":")[2]


def time(text: str) -> str:
    try:
        return str(read_time(text, STANDARD, "").timestamp())
    except EventError:
        return text


@pytest.mark.parametrize("name", unseen.JSON)
def test_a_json_document_loses_nothing(client: Client, name: str) -> None:
    raw = unseen.JSON[name]
    validator = schema()
    sent = json.loads(raw)
    assert not [error.message for error in validator.iter_errors(sent)]
    events = events_from_document(sent)
    check(client, validator, name, raw, "application/json", events)
    for event, told in zip(events, sent["epcisBody"]["eventList"], strict=True):
        answer = client.fetch(event.event_id or event_hash(event), "application/json", **NEVER).json
        (got,) = answer["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
        missing = Counter(leaves(told)) - Counter(leaves(got))
        assert not missing, missing


@pytest.mark.parametrize("name", unseen.XML)
def test_an_xml_document_loses_nothing(client: Client, name: str) -> None:
    raw = unseen.XML[name]
    root = parse(raw)
    assert not complaints(root)
    events = events_from_xml(parse(raw))
    check(client, schema(), name, raw, XML, events)
    for event, told in zip(events, [one for one in root.iter() if str(one.tag).endswith("Event")], strict=True):
        answer = client.fetch(event.event_id or event_hash(event), "application/json", **NEVER).json
        (got,) = answer["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
        texts = [text for one in told.iter() if isinstance(one.tag, str) for text in (one.text, *one.attrib.values())]
        said = {essence(text) for text in texts if text and text.strip()}
        assert said <= {essence(json.loads(leaf) if leaf[0] == '"' else leaf) for leaf in leaves(got)}, said


def check(client: Client, validator: Any, name: str, raw: bytes, kind: str, events: list[Event]) -> None:
    answer = client.http.post(
        "/api/v1/capture", data=raw, headers={**client.bearer(Role.PRODUCER), "Content-Type": kind}
    )
    assert answer.status_code == 202, answer.json
    assert (answer.json["success"], answer.json["accepted"]) == (True, len(events))
    for event in events:
        check_comes_back(client, validator, event, Path(name))


def test_they_are_counted() -> None:
    report(f"documents that nobody published: {len(unseen.JSON)} JSON, {len(unseen.XML)} XML captured, nothing lost")
