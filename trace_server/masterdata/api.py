"""Routes of the master data: documents in, SimpleMasterDataQuery out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from apiflask import APIBlueprint
from flask import request
from pydantic import BaseModel

from trace_server.accounts.access import current_client, permission
from trace_server.masterdata import operations, rules
from trace_server.services import services

blueprint = APIBlueprint("masterdata", __name__, url_prefix="/api/v1/vocabularies", tag="EPCIS master data")

XML_TYPES = ("application/xml", "text/xml")


class CapturedOut(BaseModel):
    """How many elements have a new version."""

    elements: int
    recorded_at: datetime


class VocabulariesOut(BaseModel):
    """`vocabularyList` as in EPCIS JSON."""

    vocabularyList: list[dict[str, Any]]  # noqa: N815 – the standard's name
    as_of: datetime


@blueprint.post("")
@permission("masterdata:write")
@blueprint.output(CapturedOut, status_code=201)
@blueprint.doc(
    summary="Keep the vocabularies of an EPCIS document, XML or JSON",
    description="EPCISMasterDataDocument, or the EPCISHeader of an EPCISDocument. Older versions stay.",
    responses=[413, 415, 503],
)
def capture() -> dict[str, Any]:
    """Each element becomes a new version."""
    outside = services()
    now = outside.clock()
    is_xml = request.mimetype in XML_TYPES
    kept = operations.capture(
        outside.db, now, f"client:{current_client().client_id}", request.get_data(), is_xml=is_xml
    )
    return {"elements": kept, "recorded_at": now}


@blueprint.get("")
@permission("events:read")
@blueprint.output(VocabulariesOut)
@blueprint.doc(
    summary="SimpleMasterDataQuery",
    description="vocabularyName, includeAttributes, includeChildren, attributeNames, EQ_name, WD_name, HASATTR, "
    "EQATTR_<name>, maxElementCount; several values are joined by |.",
    responses=[413, 503],
)
def find() -> dict[str, Any]:
    """Newest version of each element."""
    outside = services()
    query = rules.parse_query(request.args.to_dict())
    found = operations.find(outside.db, query)
    return {"vocabularyList": rules.vocabulary_list(found, query), "as_of": outside.clock()}
