"""Every parameter that the official query schema and OpenAPI document spell is read and selects what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.conformance.test_epcis_json import read, report
from tests.server.ingest.make import CONTEXT, READ_POINT, epc, item_uri, seen
from trace_core.epcis.document import event_from_json
from trace_core.epcis.jsonld import STANDARD
from trace_server.query.matching import matches
from trace_server.query.parameters import parse_query

EX = {"ex": "https://ex.example/"}
NAMES = STANDARD.extended([*CONTEXT, EX], "")
FIELDS: Mapping[str, Any] = {"ex:f": 5, "ex:outer": {"ex:f": 5}}
NUMBERS = ("value", "minValue", "maxValue", "meanValue", "sDev", "percRank", "percValue")
TIME, AFTER = "2026-03-01T12:00:00Z", "2026-03-01T12:00:01Z"
PLACE, OTHER = READ_POINT, "urn:epc:id:sgln:0614141.00888.0"
LOT = "urn:epc:class:lgtin:0614141.107346.L1"
DOCUMENT = "https://ex.example/document"
QUANTITY = {"epcClass": LOT, "quantity": 5, "uom": "KGM"}
OBJECT = seen(
    1, eventID=DOCUMENT, eventTime=TIME, recordTime=TIME, action="ADD", readPoint={"id": PLACE, **FIELDS},
    bizLocation={"id": PLACE, **FIELDS}, quantityList=[QUANTITY], ilmd=FIELDS,
    persistentDisposition={"set": ["completeness_verified"], "unset": ["damaged"]},
    errorDeclaration={"declarationTime": TIME, "reason": "incorrect_data", "correctiveEventIDs": [DOCUMENT], **FIELDS},
    bizTransactionList=[{"type": "po", "bizTransaction": DOCUMENT}],
    sourceList=[{"type": "location", "source": PLACE}], destinationList=[{"type": "location", "destination": PLACE}],
    sensorElementList=[{
        "sensorMetadata": {"time": TIME, "startTime": TIME, "endTime": TIME, "bizRules": DOCUMENT, **FIELDS},
        "sensorReport": [{"type": "Temperature", "uom": "CEL", **dict.fromkeys(NUMBERS, 5), **FIELDS,
                          **dict.fromkeys(("deviceID", "dataProcessingMethod", "microorganism", "chemicalSubstance",
                                           "uriValue"), DOCUMENT),
                          "stringValue": "s", "hexBinaryValue": "f0", "booleanValue": True}],
        **FIELDS}],
    **FIELDS,
)  # fmt: skip
AGGREGATION = {**seen(2), "type": "AggregationEvent", "epcList": None, "parentID": item_uri(9), "childEPCs": [epc(1)],
               "ex:f": PLACE}  # fmt: skip
TRANSFORMATION = {**seen(3), "type": "TransformationEvent", "epcList": None, "action": None,
                  "transformationID": DOCUMENT, "inputEPCList": [epc(1)], "outputEPCList": [epc(2)],
                  "inputQuantityList": [QUANTITY], "outputQuantityList": [QUANTITY]}  # fmt: skip
EVENTS = [
    event_from_json({name: value for name, value in body.items() if value is not None}, [*CONTEXT, EX])
    for body in (OBJECT, AGGREGATION, TRANSFORMATION)
]
YES_NO: Mapping[str, tuple[Any, Any]] = {
    "eventType": (["ObjectEvent"], ["TransactionEvent"]),
    "EQ_action": (["ADD"], ["DELETE"]),
    "EQ_bizStep": (["receiving"], ["shipping"]),
    "EQ_disposition": (["in_progress"], ["in_transit"]),
    "EQ_persistentDisposition_set": (["completeness_verified"], ["damaged"]),
    "EQ_persistentDisposition_unset": (["damaged"], ["completeness_verified"]),
    "EQ_errorReason": (["incorrect_data"], ["did_not_occur"]),
    "EQ_type": (["Temperature"], ["Mass"]),
    "EQ_stringValue": (["s"], ["t"]),
    "EQ_hexBinaryValue": (["f0"], ["f1"]),
    "EQ_booleanValue": (True, False),
    "MATCH_parentID": ([item_uri(9)], [item_uri(1)]),
    "MATCH_outputEPC": ([epc(2)], [epc(1)]),
    "EQ_ATTR_bizLocation_city": (["Suzhou"], ["Wuxi"]),
    "HASATTR_ex:f": (["city"], ["town"]),
}


class OnePlace:
    """Master data of the place and of the extension field's value."""

    def descendants(self, uri: str) -> frozenset[str]:
        del uri
        return frozenset()

    def attributes(self, uri: str) -> Mapping[str, frozenset[str]]:
        del uri
        return {"city": frozenset({"Suzhou"})}


def spelled(conformance: Path) -> list[str]:
    """Names of the schema, its patterns with a field, unit or type put in, and those of the OpenAPI document."""
    artefacts = conformance / "artefacts"
    names = list(_members(read(artefacts / "query-schema-2.0.1.json")))
    document = read(artefacts / "openapi-2.0.0.json")
    shared = document["components"]["parameters"]
    for one in document["paths"]["/events"]["get"]["parameters"]:
        parameter = shared[one["$ref"].rpartition("/")[2]] if "$ref" in one else one
        if parameter["in"] == "query":
            names.append(parameter["name"])
    return sorted(set(names) - {"@context", "nextPageToken", "perPage", "orderDirection", "eventCountLimit"})


def _members(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        for pattern in schema.get("patternProperties", {}):
            name = pattern.strip("^$").replace("EQ_ATTR_\\\\w+_\\\\w+", "EQ_ATTR_bizLocation_city")
            name = re.sub(r"\[a-z\]\[a-zA-Z0-9\]\*\\\\:\\\\w\+", "ex:f", name)
            name = name.replace("[A-Z0-9]{2,4}", "KGM" if "quantity" in name else "CEL")
            yield re.sub(r"\[a-z\].*", "po" if "Transaction" in name else "location", name)
        for member in schema.values():
            yield from _members(member)
    elif isinstance(schema, list):
        for member in schema:
            yield from _members(member)


def examples(name: str) -> tuple[Any, Any]:
    """A value by which one of the events is found, and one by which none is."""
    if name in YES_NO:
        return YES_NO[name]
    if name in ("orderBy", "maxEventCount"):
        return ("eventTime", None) if name == "orderBy" else (5, None)
    op = name.partition("_")[0]
    if op == "EXISTS":
        return None, None
    if name.endswith(("ime", "Time")):
        return (TIME, "2099-01-01T00:00:00Z") if op == "GE" else (AFTER, TIME)
    numeric = any(f"_{number}" in name for number in (*NUMBERS, "quantity")) or name.endswith("ex:f")
    if numeric:
        values: Mapping[str, tuple[Any, Any]] = {
            "EQ": ([5], [6]), "GT": (4, 5), "GE": (5, 6), "LT": (6, 5), "LE": (5, 4),
        }  # fmt: skip
        return values[op]
    if op == "MATCH":
        return ([LOT], ["urn:epc:class:lgtin:0614141.107346.L2"]) if name.endswith("Class") else ([epc(1)], [epc(7)])
    if any(word in name for word in ("readPoint", "bizLocation", "source", "destination")):
        return [PLACE], [OTHER]
    return [DOCUMENT], [OTHER]


def test_every_parameter_that_is_spelled_officially_selects(conformance: Path) -> None:
    names = spelled(conformance)
    assert len(names) > 150
    assert not [name for name in names if set(name) & set("[]\\^$")]
    for name in names:
        yes, no = examples(name)
        assert any(matches(one, parse_query({name: yes}, NAMES, OnePlace())) for one in EVENTS), name
        if no is not None:
            assert not any(matches(one, parse_query({name: no}, NAMES, OnePlace())) for one in EVENTS), name
    report(f"{len(names)} parameters as the query schema and the OpenAPI document spell them select what they say")
