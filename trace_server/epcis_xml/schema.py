"""The XML schemas of GS1 as judge of documents, EPCIS 2.0 and 1.2."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from lxml import etree

from trace_core.errors import EventError
from trace_server.epcis_xml.parsing import Element

EPCIS_2: Final = "urn:epcglobal:epcis:xsd:2"
EPCIS_1: Final = "urn:epcglobal:epcis:xsd:1"
QUERY_2: Final = "urn:epcglobal:epcis-query:xsd:2"
QUERY_1: Final = "urn:epcglobal:epcis-query:xsd:1"
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"

ROOTS: Final[Mapping[str, tuple[str, str]]] = {
    f"{{{EPCIS_2}}}EPCISDocument": ("2.0", "xsd-2.0/EPCglobal-epcis-2_0.xsd"),
    f"{{{QUERY_2}}}EPCISQueryDocument": ("2.0", "xsd-2.0/EPCglobal-epcis-query-2_0.xsd"),
    f"{{{EPCIS_1}}}EPCISDocument": ("1.2", "xsd-1.2/EPCglobal-epcis-1_2.xsd"),
    f"{{{QUERY_1}}}EPCISQueryDocument": ("1.2", "xsd-1.2/EPCglobal-epcis-query-1_2.xsd"),
}
"""Root element → version of EPCIS and schema file."""
MAX_COMPLAINTS = 1000
MAX_WHAT = 500

_PER_THREAD = threading.local()
"""A validator keeps the errors of its last run, so that each thread needs its own."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that a schema does not allow; `path` is XPath with the document's prefixes."""

    path: str
    what: str


def version_of(root: Element) -> str:
    """The version, "2.0" or "1.2". Raises `EventError` for anything but an EPCISDocument or EPCISQueryDocument."""
    found = ROOTS.get(root.tag)
    if found is None:
        raise EventError(
            f"{root.tag!r:.200} is no EPCIS document",
            where="/",
            remedy=f"send epcis:EPCISDocument in the namespace {EPCIS_2} (EPCIS 2.0) or {EPCIS_1} (1.2)",
        )
    return found[0]


def complaints(root: Element) -> list[Complaint]:
    """What the schema of its version does not allow in the document; empty when it is valid."""
    version_of(root)
    # the validator would open what these name: files of ours, addresses of theirs
    for element in root.xpath("//*[@xsi:schemaLocation or @xsi:noNamespaceSchemaLocation]", namespaces={"xsi": XSI}):
        element.attrib.pop(f"{{{XSI}}}schemaLocation", None)
        element.attrib.pop(f"{{{XSI}}}noNamespaceSchemaLocation", None)
    schema = _validator(ROOTS[root.tag][1])
    if schema.validate(root):
        return []
    found = [Complaint(str(error.path or "/"), str(error.message)[:MAX_WHAT]) for error in schema.error_log]
    return found[:MAX_COMPLAINTS]


def _validator(file: str) -> Any:  # noqa: ANN401 – untyped library
    validators: dict[str, Any] = _PER_THREAD.__dict__
    if file not in validators:
        validators[file] = etree.XMLSchema(etree.parse(_path(file), etree.XMLParser(no_network=True, load_dtd=False)))
    return validators[file]


@cache
def _path(file: str) -> str:
    return str(files("trace_server.epcis_xml").joinpath("schemas", *file.split("/")))
