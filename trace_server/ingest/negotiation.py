"""Headers of the EPCIS 2.0 REST binding: versions, formats, error behaviour. No Flask: mappings in, values out."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from importlib.metadata import version
from typing import Final, Protocol, TypeVar

from werkzeug.datastructures import Accept
from werkzeug.exceptions import NotAcceptable

from trace_core.epcis.event import SUYUAN_NAMESPACE
from trace_core.errors import InputError
from trace_server.epcis_xml.spelling import EpcFormat
from trace_server.epcis_xml.writer import CbvFormat
from trace_server.ingest.document import MAX_DOCUMENT_BYTES, MAX_DOCUMENT_EVENTS

JSON: Final = "application/json"
XML: Final = "application/xml"
JSON_TYPES: Final = frozenset({JSON, "application/ld+json"})
XML_TYPES: Final = frozenset({XML, "text/xml"})

ERROR_BEHAVIOUR: Final = "GS1-Capture-Error-Behaviour"
EPC_FORMAT: Final = "GS1-EPC-Format"
CBV_FORMAT: Final = "GS1-CBV-XML-Format"

VERSIONS: Final[Mapping[str, str]] = {
    "GS1-EPCIS-Version": "2.0.0",
    "GS1-CBV-Version": "2.0.0",
    "GS1-Vendor-Version": version("suyuan"),
    "GS1-Extensions": f"suyuan={SUYUAN_NAMESPACE}",
}
LIMITS: Final[Mapping[str, str]] = {
    "GS1-EPCIS-Capture-Limit": str(MAX_DOCUMENT_EVENTS),
    "GS1-EPCIS-Capture-File-Size-Limit": str(MAX_DOCUMENT_BYTES),
}
DISCOVERY: Final[Mapping[str, str]] = {
    **VERSIONS,
    "GS1-EPCIS-Min": "1.2.0",
    "GS1-EPCIS-Max": "2.0.0",
    "GS1-CBV-Min": "1.2.0",
    "GS1-CBV-Max": "2.0.0",
    EPC_FORMAT: ", ".join(EpcFormat),
    CBV_FORMAT: ", ".join(CbvFormat),
    ERROR_BEHAVIOUR: "all",
    **LIMITS,
}

Choice = TypeVar("Choice", bound=StrEnum)


class Headers(Protocol):
    """Request headers."""

    def get(self, name: str, default: str, /) -> str: ...


def told(method: str, status: int) -> tuple[Mapping[str, str], int]:
    """Headers and status of an answer that has `status`: OPTIONS tells all, 413 the limits."""
    if method == "OPTIONS":
        return DISCOVERY, 204
    return ({**VERSIONS, **LIMITS} if status == 413 else VERSIONS), status


def choice(kind: type[Choice], text: str, header: str) -> Choice:
    """`text` as a value of `kind`. Raises `InputError` that names the header and its values."""
    try:
        return kind(text.strip())
    except ValueError as error:
        values = ", ".join(kind)
        raise InputError(f"{text!r:.80} is no value of {header}", where=header, remedy=f"use {values}") from error


def require_versions(headers: Headers) -> None:
    """Raises `NotAcceptable` (406) when the client speaks an EPCIS or CBV that this server does not."""
    for header in ("GS1-EPCIS-Version", "GS1-CBV-Version"):
        spoken = headers.get(header, "")
        if spoken and spoken.strip().split(".")[0] not in ("1", "2"):
            raise NotAcceptable(f"{header} is {spoken[:40]}; this server speaks 1.2 to 2.0")


def epc_format(headers: Headers) -> EpcFormat:
    """How identifiers are to be spelled; Digital Links when the client does not say (the standard's default)."""
    return choice(EpcFormat, headers.get(EPC_FORMAT, "") or EpcFormat.DIGITAL_LINK.value, EPC_FORMAT)


def cbv_format(headers: Headers) -> CbvFormat:
    """How vocabulary terms are to be spelled in XML; web URIs when the client leaves it to us."""
    text = headers.get(CBV_FORMAT, "").strip()
    if text in ("", "No_Preference", "Never_Translates"):
        return CbvFormat.WEB_URI
    return choice(CbvFormat, text, CBV_FORMAT)


def accepted(offered: Accept) -> str:
    """JSON or XML, whichever the client likes better. Raises `NotAcceptable` (406)."""
    found = offered.best_match([JSON, "application/ld+json", XML, "text/xml"]) if offered else JSON
    if found is None:
        raise NotAcceptable("this resource is application/json, application/ld+json, application/xml or text/xml")
    return found
