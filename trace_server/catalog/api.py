"""JSON routes of the master data: a producer registers a batch."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response, jsonify
from pydantic import BaseModel, ConfigDict, Field

from trace_server.accounts.access import current_client, permission
from trace_server.catalog import operations
from trace_server.services import services

blueprint = APIBlueprint("catalog", __name__, url_prefix="/api/v1/batches", tag="Catalog")
_DATE = r"^\d{4}-\d{2}-\d{2}$"


class CertificateIn(BaseModel):
    """A document that goes with the batch; `kind` as in the category's profile."""

    model_config = ConfigDict(extra="forbid", strict=True)

    kind: str = Field(min_length=1, max_length=64, examples=["food.factory_inspection"])
    number: str = Field(min_length=1, max_length=64)
    issuer: str = Field(min_length=1, max_length=200)
    issued_on: str = Field(pattern=_DATE)


class InspectionIn(BaseModel):
    """The newest inspection of the batch."""

    model_config = ConfigDict(extra="forbid", strict=True)

    passed: bool
    report_no: str = Field(min_length=1, max_length=64)
    body: str = Field(min_length=1, max_length=200)
    inspected_on: str = Field(pattern=_DATE)


class BatchIn(BaseModel):
    """A production lot. Quantities are decimals as text; recalls come from an authority, not by this route."""

    model_config = ConfigDict(extra="forbid", strict=True)

    gtin: str = Field(min_length=8, max_length=14)
    lot: str = Field(min_length=1, max_length=20)
    producer_uscc: str = Field(min_length=18, max_length=18, description="统一社会信用代码 of the producer")
    production_date: str = Field(pattern=_DATE)
    expiry_date: str | None = Field(default=None, pattern=_DATE)
    quantity: str = Field(min_length=1, max_length=32)
    uom: str = Field(min_length=1, max_length=8, description="UN/CEFACT Rec. 20 code")
    certificates: list[CertificateIn] = Field(default_factory=list, max_length=50)
    inspection: InspectionIn | None = None


class BatchOut(BaseModel):
    """The batch as it stands now."""

    gtin: str
    lot: str
    producer_uscc: str
    changed: bool


@blueprint.post("")
@permission("batches:write")
@blueprint.input(BatchIn)
@blueprint.output(BatchOut, status_code=201)
@blueprint.doc(
    summary="Register or update a batch of the caller's own",
    description="201 when it says something new, 200 when it was already so.",
    responses=[200, 404, 409, 413, 415, 503],
)
def post_batch(json_data: BatchIn) -> Response:
    """The same batch twice changes nothing; what an authority said of it (recall, official inspection) stays."""
    outside = services()
    client = current_client()
    posted = operations.PostedBatch(
        document=json_data.model_dump(), owner=client.subject or None, actor=f"client:{client.client_id}"
    )
    row, changed = operations.post_batch(outside.db, posted, outside.clock())
    answer = jsonify(
        BatchOut(gtin=row.gtin, lot=row.lot, producer_uscc=row.producer_uscc, changed=changed).model_dump()
    )
    answer.status_code = 201 if changed else 200
    return answer
