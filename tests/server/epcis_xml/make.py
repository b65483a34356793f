"""EPCIS XML with defaults for all that a test is not about."""

from __future__ import annotations

from trace_core.epcis.event import Event
from trace_server.epcis_xml.parsing import parse
from trace_server.epcis_xml.reader import events_from_xml
from trace_server.epcis_xml.schema import EPCIS_1, EPCIS_2

TIMES = "<eventTime>2026-11-24T08:00:00+08:00</eventTime>"
ZONE = "<eventTimeZoneOffset>+08:00</eventTimeZoneOffset>"
EPC = "urn:epc:id:sgtin:0614141.107346.1"


def xml_event(
    number: int = 1, *, action: str = "OBSERVE", early: str = "", middle: str = "", late: str = "", kind: str = ""
) -> str:
    """An ObjectEvent; `early` stands before the objects, `middle` behind the action, `late` at the end."""
    epc = f"<epcList><epc>urn:epc:id:sgtin:0614141.107346.{number}</epc></epcList>"
    name = kind or "ObjectEvent"
    return f"<{name}>{TIMES}{ZONE}{early}{epc}<action>{action}</action>{middle}{late}</{name}>"


def xml_document(*events: str, version: str = "2.0", header: str = "", declared: str = "") -> bytes:
    namespace = EPCIS_1 if version == "1.2" else EPCIS_2
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<epcis:EPCISDocument xmlns:epcis="{namespace}" '
        f'xmlns:ex="https://ex.example/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        f'xmlns:xsd="http://www.w3.org/2001/XMLSchema" {declared} schemaVersion="{version}" '
        f'creationDate="2026-11-24T08:00:00Z">{header}<EPCISBody><EventList>{"".join(events)}</EventList></EPCISBody>'
        "</epcis:EPCISDocument>"
    ).encode()


def only_event(raw: bytes) -> Event:
    (event,) = events_from_xml(parse(raw))
    return event
