"""Other people's EPCIS documents: what is valid is taken and kept, what is invalid is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from trace_core.epcis import cbv
from trace_core.epcis.document import (
    check_event,
    document,
    event_from_json,
    events_from_document,
    open_document,
)
from trace_core.epcis.event_hash import event_hash, pre_hash
from trace_core.epcis.jsonld import STANDARD_PREFIXES
from trace_core.errors import EventError
from trace_core.ids.canonical import canonical_uri

COUNTS: dict[str, None] = {}
"""Lines that the summary prints, once each however many databases said them."""
JSON_FOLDERS = ("gs1-json", "openepcis-json", "openepcis-json-bare-events", "openepcis-json-query-results")


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def report(line: str) -> None:
    """Shown at the end of the run."""
    COUNTS[line] = None


def valid_documents(conformance: Path) -> list[Path]:
    files = [path for folder in JSON_FOLDERS for path in sorted((conformance / "documents" / folder).rglob("*.json*"))]
    files += sorted((conformance / "event-hash" / "documents").glob("*.jsonld"))
    assert len(files) > 50
    return files


def schema_of(conformance: Path) -> jsonschema_rs.Draft7Validator:
    schema = read(conformance / "artefacts" / "epcis-json-schema-2.0.1.json")
    return jsonschema_rs.Draft7Validator(schema, validate_formats=True)


def test_every_valid_document_is_read_and_survives_writing(conformance: Path) -> None:
    schema = schema_of(conformance)
    files, events = 0, 0
    for path in valid_documents(conformance):
        opened = open_document(read(path))
        values = [event_from_json(item, opened.context, where) for where, item in opened.items]
        for value in values:
            check_event(value)
        for prefixes in ({}, {"example": "http://ns.example.com/epcis/", "ext1": "http://example.com/ext1/"}):
            written = json.loads(json.dumps(document(values, prefixes)))
            assert events_from_document(written) == values, path.name
            assert [event_hash(e) for e in events_from_document(written)] == [event_hash(e) for e in values]
            assert not list(schema.iter_errors(written)), path.name
        files, events = files + 1, events + len(values)
    report(f"{files} documents, {events} events read and written without loss")


def test_every_published_event_hash_is_reproduced(conformance: Path) -> None:
    expected = read(conformance / "event-hash" / "expected-cbv2.0.json")
    hashes = strings = 0
    for case in expected.values():
        for name in case["documents"]:
            if not name.endswith(".jsonld"):
                continue
            values = events_from_document(read(conformance / "event-hash" / "documents" / name))
            assert [event_hash(v) for v in values] == [e["eventHashID"] for e in case["events"]], name
            hashes += len(values)
            for value, event in zip(values, case["events"], strict=True):
                if "preHash" in event:
                    assert pre_hash(value) == event["preHash"], name
                    strings += 1
    assert hashes >= 11
    report(f"{hashes} event hashes and {strings} pre-hash strings reproduced")


def test_every_invalid_document_is_refused_by_the_parser_alone_and_by_the_schema(conformance: Path) -> None:
    schema = schema_of(conformance)
    files = sorted((conformance / "invalid" / "openepcis-json").glob("*.json"))
    assert files
    for path in files:
        doc = read(path)
        assert list(schema.iter_errors(doc)), path.name
        with pytest.raises(EventError) as caught:
            for value in events_from_document(doc):
                check_event(value)
        assert caught.value.where.startswith("/"), path.name
        assert caught.value.remedy, path.name
    report(f"{len(files)} invalid documents refused without the schema")


def test_the_vocabularies_are_those_of_the_ratified_context_and_schema(conformance: Path) -> None:
    context = read(conformance / "artefacts" / "epcis-context-2.0.1.jsonld")["@context"]
    sensor = context["sensorElementList"]["@context"]["sensorReport"]["@context"]
    terms = {
        cbv.BIZ_STEPS: context["bizStep"],
        cbv.DISPOSITIONS: context["disposition"],
        cbv.BIZ_TRANSACTION_TYPES: context["bizTransactionList"]["@context"]["type"],
        cbv.SOURCE_DESTINATION_TYPES: context["sourceList"]["@context"]["type"],
        cbv.ERROR_REASONS: context["errorDeclaration"]["@context"]["reason"],
        cbv.MEASUREMENTS: sensor["type"],
        cbv.SENSOR_EXCEPTIONS: sensor["exception"],
        cbv.COMPONENTS: sensor["component"],
    }
    for vocabulary, term in terms.items():
        defined = {name: _expand(context, iri) for name, iri in term["@context"].items()}
        assert defined == {name: vocabulary.uri(name) for name in vocabulary.names}, vocabulary.title
    declared = {name: iri for name, iri in context.items() if isinstance(iri, str) and iri.endswith(("/", "#", ":"))}
    assert declared == dict(STANDARD_PREFIXES)


def test_urns_and_links_of_the_tag_data_standard_meet(conformance: Path) -> None:
    vectors = read(conformance / "tds" / "tds-2.3-annex-e3-vectors.json")
    pairs = [(v["epcURI"], v["digitalLinkURI"]) for v in vectors if v["epcURI"] and v["digitalLinkURI"]]
    assert len(pairs) > 10
    for urn, link in pairs:
        assert canonical_uri(urn) == canonical_uri(link) == link.partition("?")[0]
    report(f"{len(pairs)} pairs of URN and link have one canonical form")


def _expand(context: dict[str, Any], iri: str) -> str:
    prefix, _, local = iri.partition(":")
    return f"{context[prefix]}{local}"
