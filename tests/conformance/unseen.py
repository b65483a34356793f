"""Documents in the style of the standard that no published folder holds: odd, and valid."""

from __future__ import annotations

import json
from typing import Any, Final

CONTEXT: Final = "https://ref.gs1.org/standards/epcis/epcis-context.jsonld"
_HASH: Final = "ni:///sha-256;fec9667280c4710a3fa9558b7bc8ddc2ced0dc442d87f82becae24bb6ca6a46f?ver=CBV2.0"


def _epc(serial: object) -> str:
    return f"urn:epc:id:sgtin:4012345.011122.{serial}"


def _event(kind: str = "ObjectEvent", **changes: Any) -> dict[str, Any]:
    event: dict[str, Any] = {"type": kind, "eventTime": "2026-03-01T12:00:00.123Z", "eventTimeZoneOffset": "+08:00"}
    if kind != "TransformationEvent":
        event["action"] = "OBSERVE"
    if kind == "ObjectEvent":
        event["epcList"] = [_epc(1)]
    return {name: value for name, value in (event | changes).items() if value is not None}


def _document(*events: dict[str, Any], context: object = None, **members: Any) -> bytes:
    whole = {
        "@context": [CONTEXT, {"ex": "https://ex.example/"}] if context is None else context,
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-03-01T12:00:00Z",
        **members,
        "epcisBody": {"eventList": list(events)},
    }
    return json.dumps(whole, ensure_ascii=False).encode()


def _reversed(value: Any) -> Any:
    """Members of every object the other way round."""
    if isinstance(value, dict):
        return {name: _reversed(value[name]) for name in reversed(value)}
    return [_reversed(item) for item in value] if isinstance(value, list) else value


_REPORT: Final = {
    "type": "Temperature", "exception": "ALARM_CONDITION", "deviceID": "urn:epc:id:giai:4000001.111",
    "deviceMetadata": "https://id.gs1.org/8004/4000001111", "rawData": "https://ex.example/raw/1",
    "dataProcessingMethod": "https://ex.example/253/4012345000054987", "time": "2026-03-01T11:59:59.999+08:00",
    "microorganism": "https://www.ncbi.nlm.nih.gov/taxonomy/1126011",
    "chemicalSubstance": "https://identifiers.org/inchikey:CZMRCDWAGMRECN-UGDNZRGBSA-N", "value": -18.25,
    "component": "x", "stringValue": "冷库 <3>", "booleanValue": False, "hexBinaryValue": "0aF0",
    "uriValue": "https://ex.example/v", "minValue": -20, "maxValue": -17.5, "meanValue": -18.3, "sDev": 0.125,
    "percRank": 95, "percValue": -17.75, "uom": "CEL",
    "coordinateReferenceSystem": "http://www.opengis.net/def/crs/EPSG/0/27700", "ex:probe": {"ex:id": ["a", "b"]},
}  # fmt: skip
_METADATA: Final = {
    "time": "2026-03-01T12:00:00Z", "startTime": "2026-03-01T11:00:00Z", "endTime": "2026-03-01T12:00:00Z",
    "deviceID": "urn:epc:id:giai:4000001.112", "deviceMetadata": "https://id.gs1.org/8004/4000001112",
    "rawData": "https://ex.example/raw", "dataProcessingMethod": "https://ex.example/m",
    "bizRules": "https://ex.example/rules", "ex:room": "3",
}  # fmt: skip
_SENSED: Final = [
    {"sensorMetadata": _METADATA, "sensorReport": [_REPORT, {"type": "ex:Crunch", "value": 0}], "ex:row": ["1", "2"]},
    {"sensorReport": [{"type": "gs1:AbsoluteHumidity", "value": 0.5, "uom": "A93"}]},
]
_QUANTITIES: Final = [
    {"epcClass": "urn:epc:class:lgtin:4012345.011111.4444", "quantity": 0.001, "uom": "KGM"},
    {"epcClass": "urn:epc:idpat:sgtin:4012345.066666.*", "quantity": 30},
    {"epcClass": "https://id.gs1.org/01/04012345111118/10/A%2FB"},
]
_DEEP: Final = {"ex:a": {"ex:b": [{"ex:c": ["1", {"ex:d": {"ex:e": "深"}}]}, "x"], "ex:f": ""}}
_FULL: Final = _event(
    eventID="urn:uuid:0f6dcf5a-3a4b-4b8e-8f5d-6a5b5ad0b001",
    certificationInfo=["https://ex.example/cert/1", "https://ex.example/cert/2"],
    bizStep="storing",
    disposition="in_progress",
    persistentDisposition={"set": ["completeness_verified", "ex:frozen"], "unset": ["damaged"]},
    readPoint={"id": "urn:epc:id:sgln:4012345.00001.0", "ex:lane": "7"},
    bizLocation={"id": "urn:epc:id:sgln:4012345.00002.0", "ex:shelf": {"ex:row": "3"}},
    bizTransactionList=[
        {"type": "po", "bizTransaction": "urn:epc:id:gdti:0614141.00001.1618034"},
        {"bizTransaction": "urn:epcglobal:cbv:bt:0614141073467:1152"},
    ],
    sourceList=[{"type": "owning_party", "source": "urn:epc:id:pgln:4012345.00225"}],
    destinationList=[{"type": "ex:kitchen", "destination": "https://ex.example/kitchen"}],
    quantityList=_QUANTITIES,
    sensorElementList=_SENSED,
    **{"ex:deep": _DEEP},
)

JSON: Final[dict[str, bytes]] = {
    "every field of an object event": _document(_FULL),
    "every field in the other order": json.dumps(_reversed(json.loads(_document(_FULL)))).encode(),
    "only the required fields": _document(_event()),
    "nothing in the document": _document(),
    "the standard's context alone": _document(_event(), context=CONTEXT),
    "an older address of the context": _document(
        _event(), context=["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"]
    ),
    "own terms before the standard's": _document(
        _event(**{"ex:a": "1"}), context=[{"ex": "https://ex.example/"}, CONTEXT]
    ),
    "several own contexts, a later one wins": _document(
        _event(**{"ex:a": "1", "my:b": "2"}),
        context=[CONTEXT, {"ex": "https://first.example/"}, {"ex": "https://ex.example/", "my": "https://my.example#"}],
    ),
    "a context of the event alone": _document(
        _event(**{"@context": [{"only": "https://only.example/"}], "only:here": ["1", "2"]}), context=[CONTEXT]
    ),
    "two events redefine one prefix": _document(
        _event(**{"@context": [{"p": "https://one.example/"}], "p:x": "1"}),
        _event(**{"@context": [{"p": "https://two.example/"}], "p:x": "1", "epcList": [_epc(2)]}),
        context=[CONTEXT],
    ),
    "empty lists": _document(
        _event(bizTransactionList=[], sourceList=[], destinationList=[], quantityList=[], sensorElementList=[])
    ),
    "an event about quantities only": _document(_event(epcList=None, quantityList=_QUANTITIES)),
    "a sensor that names no object": _document(
        _event(epcList=None, sensorElementList=_SENSED, readPoint={"id": "https://id.gs1.org/414/4012345000016"})
    ),
    "a commissioning with master data": _document(
        _event(action="ADD", ilmd={"cbvmda:lotNumber": "批 1", "ex:deep": _DEEP, "ex:list": ["1", ["2"], []]})
    ),
    "values of every kind in an extension": _document(
        _event(
            **{
                "ex:n": [0, -1, 1.5, 1e300, 12345678901234567890],
                "ex:t": True,
                "ex:f": False,
                "ex:null": None,
                "ex:empty": {},
                "ex:none": [],
                "ex:s": " two  spaces\nand\ta line ",
            }
        )
    ),
    "typed values": _document(
        _event(**{"ex:when": {"@type": "http://www.w3.org/2001/XMLSchema#dateTime", "@value": "2026-03-01T00:00:00Z"}})
    ),
    "an error declaration": _document(
        _event(
            eventID=_HASH,
            errorDeclaration={
                "declarationTime": "2026-03-02T00:00:00Z",
                "reason": "did_not_occur",
                "correctiveEventIDs": [_HASH],
                "ex:by": "QA",
            },
        )
    ),
    "an aggregation of quantities": _document(
        _event("AggregationEvent", parentID="urn:epc:id:sscc:4012345.0111111111", childQuantityList=_QUANTITIES)
    ),
    "an unpacking without children": _document(
        _event("AggregationEvent", action="DELETE", parentID="https://id.gs1.org/00/040123451111111115", childEPCs=[])
    ),
    "a transaction about its parent": _document(
        _event(
            "TransactionEvent",
            parentID="urn:epc:id:sscc:4012345.0111111111",
            epcList=[],
            bizTransactionList=[{"type": "inv", "bizTransaction": "urn:uuid:0f6dcf5a-3a4b-4b8e-8f5d-6a5b5ad0b002"}],
        )
    ),
    "half a transformation": _document(
        _event("TransformationEvent", inputEPCList=[_epc(1)], transformationID="urn:epc:id:gdti:4012345.00001.7")
    ),
    "a whole transformation": _document(
        _event(
            "TransformationEvent",
            inputQuantityList=_QUANTITIES,
            outputEPCList=[_epc(3)],
            ilmd={"ex:w": "1"},
            outputQuantityList=_QUANTITIES[:1],
        )
    ),
    "an association with a place": _document(
        _event(
            "AssociationEvent",
            action="ADD",
            parentID="urn:epc:id:grai:4012345.55555.987",
            childEPCs=["urn:epc:id:giai:4000001.12345"],
            bizStep="assembling",
        )
    ),
    "all types in one document, with a header": _document(
        _event("AggregationEvent", childEPCs=[_epc(4)]),
        _event("TransformationEvent", inputEPCList=[_epc(4)], outputEPCList=[_epc(5)]),
        _event(epcList=[_epc(6)]),
        id="https://ex.example/doc/1",
        sender="urn:epc:id:pgln:4012345.00225",
        instanceIdentifier="7",
        epcisHeader={
            "epcisMasterData": {
                "vocabularyList": [
                    {
                        "type": "urn:epcglobal:epcis:vtype:ReadPoint",
                        "vocabularyElementList": [
                            {
                                "id": "urn:epc:id:sgln:4012345.00001.0",
                                "attributes": [{"id": "urn:epcglobal:cbv:mda#name", "attribute": "Gate"}],
                            }
                        ],
                    }
                ]
            }
        },
    ),
    "URIs with every allowed character": _document(
        _event(epcList=["urn:x:a!$&'()*+,;=:@-._~%2F", "https://ex.example/a/b?c=d&e=%20#f", _epc("a%2Fb")])
    ),
    "words of CBV as web URIs and CURIEs": _document(
        _event(bizStep="https://ref.gs1.org/cbv/BizStep-picking", disposition="https://ref.gs1.org/cbv/Disp-reserved")
    ),
    "leap day, offset of Nepal, one digit of a second": _document(
        _event(eventTime="2024-02-29T23:59:59.9+05:45", eventTimeZoneOffset="-12:00")
    ),
}


def _xml(
    *events: str, version: str = "2.0", declared: str = "", prefix: str = "epcis", before: str = "", header: str = ""
) -> bytes:
    namespace = "urn:epcglobal:epcis:xsd:1" if version == "1.2" else "urn:epcglobal:epcis:xsd:2"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{before}<{prefix}:EPCISDocument xmlns:{prefix}="{namespace}" '
        f'{declared} schemaVersion="{version}" creationDate="2026-03-01T12:00:00Z">{header}<EPCISBody><EventList>'
        f"{''.join(events)}</EventList></EPCISBody></{prefix}:EPCISDocument>"
    ).encode()


_TIMES: Final = "<eventTime>2026-03-01T12:00:00.123Z</eventTime><eventTimeZoneOffset>+08:00</eventTimeZoneOffset>"


def _object(*, early: str = "", epcs: str = "", action: str = "OBSERVE", late: str = "") -> str:
    inside = epcs or f"<epc>{_epc(1)}</epc>"
    return f"<ObjectEvent>{_TIMES}{early}<epcList>{inside}</epcList><action>{action}</action>{late}</ObjectEvent>"


_EX: Final = 'xmlns:ex="https://ex.example/"'
_XML_REPORT: Final = (
    '<sensorReport type="gs1:Temperature" deviceID="urn:epc:id:giai:4000001.111" value="-18.25" uom="CEL" '
    'minValue="-20" maxValue="-17.5" meanValue="-18.3" sDev="0.125" percRank="95" percValue="-17.75" '
    'booleanValue="false" hexBinaryValue="0aF0" stringValue="a&amp;b" uriValue="https://ex.example/v" '
    'component="cbv:Comp-x" time="2026-03-01T11:59:59.999+08:00" ex:probe="7"/>'
)
_XML_QUANTITY: Final = (
    "<quantityElement><epcClass>urn:epc:class:lgtin:4012345.011111.4444</epcClass><quantity>10.50</quantity>"
    "<uom>KGM</uom></quantityElement>"
)
_TRANSFORMATION: Final = (
    f"<TransformationEvent>{_TIMES}<inputEPCList><epc>{_epc(1)}</epc></inputEPCList><inputQuantityList>{_XML_QUANTITY}"
    f"</inputQuantityList><outputEPCList><epc>{_epc(2)}</epc></outputEPCList>"
    "<ilmd><ex:cut>fine</ex:cut></ilmd><ex:more>1</ex:more></TransformationEvent>"
)
XML: Final[dict[str, bytes]] = {
    "only the required fields": _xml(_object()),
    "nothing in the document": _xml(),
    "another prefix for the root": _xml(_object(), prefix="a.b-c"),
    "comments everywhere": _xml(
        "<!-- one -->",
        _object(early="<!-- two -->", epcs=f"<!-- three --><epc>{_epc(1)}<!-- four --></epc>"),
        before="<!-- zero -->",
    ),
    "CDATA in an extension": _xml(
        _object(late="<ex:note><![CDATA[a < b && c]]> and <![CDATA[]]></ex:note>"), declared=_EX
    ),
    "CDATA in an identifier": _xml(_object(epcs=f"<epc><![CDATA[{_epc(1)}]]></epc>")),
    "character references": _xml(_object(late="<ex:note>&#x6eaf;&#28304; &lt;&quot;&apos;</ex:note>"), declared=_EX),
    "blanks around values": _xml(
        _object(epcs=f"<epc>\n  {_epc(1)}\n</epc>", late="<bizStep> urn:epcglobal:cbv:bizstep:shipping </bizStep>")
    ),
    "a namespace declared where it is used": _xml(_object(late='<q:f xmlns:q="https://ex.example/">1</q:f>')),
    "one prefix twice, with two meanings": _xml(
        _object(late='<q:f xmlns:q="https://one.example/">1</q:f><q:f xmlns:q="https://two.example/">2</q:f>')
    ),
    "a default namespace inside an extension": _xml(
        _object(late='<ex:f><g xmlns="https://deep.example/"><h>1</h></g></ex:f>'), declared=_EX
    ),
    "the prefix redefined below": _xml(
        _object(late='<ex:f><ex:g xmlns:ex="https://other.example/">1</ex:g></ex:f>'), declared=_EX
    ),
    "repeated extension elements with attributes": _xml(
        _object(late='<ex:f ex:u="1">a</ex:f><ex:f ex:u="2">b</ex:f><ex:f/>'), declared=_EX
    ),
    "sensor reports with every attribute": _xml(
        _object(
            late='<sensorElementList><sensorElement><sensorMetadata time="2026-03-01T12:00:00Z" '
            f'bizRules="https://ex.example/r" ex:room="3"/>{_XML_REPORT}<ex:row>1</ex:row></sensorElement>'
            f"<sensorElement>{_XML_REPORT}</sensorElement></sensorElementList>"
        ),
        declared=_EX,
    ),
    "persistent dispositions and certificates": _xml(
        f"<ObjectEvent>{_TIMES}<certificationInfo>https://ex.example/c1</certificationInfo>"
        f"<epcList><epc>{_epc(1)}</epc></epcList><action>ADD</action><persistentDisposition>"
        "<unset>urn:epcglobal:cbv:disp:damaged</unset><set>https://ref.gs1.org/cbv/Disp-completeness_verified</set>"
        "</persistentDisposition><ilmd><ex:a><ex:b>1</ex:b><ex:b>2</ex:b></ex:a></ilmd></ObjectEvent>",
        declared=_EX,
    ),
    "an empty list of EPCs beside quantities": _xml(
        f"<ObjectEvent>{_TIMES}<epcList/><action>OBSERVE</action><quantityList>{_XML_QUANTITY}</quantityList></ObjectEvent>"
    ),
    "a transformation": _xml(_TRANSFORMATION, declared=_EX),
    "1.2: a transformation in an extension": _xml(
        f"<extension>{_TRANSFORMATION}</extension>", version="1.2", declared=_EX
    ),
    "1.2: quantities and parties in an extension": _xml(
        _object(
            late=f"<extension><quantityList>{_XML_QUANTITY}</quantityList><sourceList><source "
            'type="urn:epcglobal:cbv:sdt:owning_party">urn:epc:id:pgln:4012345.00225</source></sourceList>'
            "<ilmd><ex:cut>fine</ex:cut></ilmd></extension><ex:own>1</ex:own>",
            action="ADD",
        ),
        version="1.2",
        declared=_EX,
    ),
    "1.2: an error declaration in the base extension": _xml(
        _object(
            early="<baseExtension><eventID>urn:uuid:0f6dcf5a-3a4b-4b8e-8f5d-6a5b5ad0b003</eventID><errorDeclaration>"
            "<declarationTime>2026-03-02T00:00:00Z</declarationTime>"
            "<reason>urn:epcglobal:cbv:er:incorrect_data</reason></errorDeclaration></baseExtension>"
        ),
        version="1.2",
    ),
    "1.2: children by quantity": _xml(
        f"<AggregationEvent>{_TIMES}<parentID>urn:epc:id:sscc:4012345.0111111111</parentID><childEPCs/>"
        f"<action>ADD</action><extension><childQuantityList>{_XML_QUANTITY}</childQuantityList></extension>"
        "</AggregationEvent>",
        version="1.2",
    ),
    "UTF-16 with a byte order mark": _xml(_object(late="<ex:note>溯源</ex:note>"), declared=_EX)
    .decode()
    .replace('encoding="UTF-8"', 'encoding="UTF-16"')
    .encode("utf-16"),
}
