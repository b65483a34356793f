"""JSON routes of tag ranges: a producer asks, a regulator grants (赋码范围)."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any, Literal

from apiflask import APIBlueprint
from pydantic import BaseModel, ConfigDict, Field

from trace_core.errors import InputError
from trace_server.accounts.access import current_client, permission
from trace_server.db.types import EPOCH, to_microseconds
from trace_server.registers import operations
from trace_server.registers.model import RangeEvent, RangeState, TagRange
from trace_server.registers.operations import Grant, RangeRequest
from trace_server.registers.wire import range_json
from trace_server.services import services

blueprint = APIBlueprint("registers", __name__, url_prefix="/api/v1/ranges", tag="Tag ranges")
_CURSOR = re.compile(r"(\d{1,17})\.(range-[0-9a-f]{12})\Z")
_DATE = r"^\d{4}-\d{2}-\d{2}$"
MAX_QUOTA = 10**18


class RangeIn(BaseModel):
    """Which serials: both end in a number behind the same letters. Without `quota` all of them."""

    model_config = ConfigDict(extra="forbid", strict=True)

    uscc: str = Field(min_length=18, max_length=18, description="统一社会信用代码 of the issuer")
    gtin: str = Field(min_length=8, max_length=14)
    first: str = Field(min_length=1, max_length=20, examples=["A0001"])
    last: str = Field(min_length=1, max_length=20, examples=["A9999"])
    quota: int | None = Field(default=None, ge=1, le=MAX_QUOTA)
    purpose: str = Field(min_length=1, max_length=1000)


class StepIn(BaseModel):
    """A step of the authority; the days and a lower quota go with `grant` only."""

    model_config = ConfigDict(extra="forbid", strict=True)

    event: Literal["grant", "refuse", "revoke"]
    version: int = Field(ge=1)
    reason: str = Field(min_length=1, max_length=1000)
    quota: int | None = Field(default=None, ge=1, le=MAX_QUOTA)
    valid_from: str | None = Field(default=None, pattern=_DATE, description="Default: today")
    valid_to: str | None = Field(default=None, pattern=_DATE, description="Last day; default: no end")


class ListIn(BaseModel):
    """Which ranges."""

    model_config = ConfigDict(extra="forbid")

    uscc: str = Field(default="", max_length=18, description="Empty: of everybody; a company sees its own")
    state: Literal["", "requested", "granted", "refused", "revoked"] = ""
    cursor: str = Field(default="", max_length=64)
    limit: int = Field(default=50, ge=1, le=500)


class RangeOut(BaseModel):
    """A range as it stands."""

    range_id: str
    uscc: str
    gtin: str
    first: str
    last: str
    quota: int
    issued: int
    left: int
    state: str
    purpose: str
    requested_by: str
    requested_at: datetime
    decided_by: str
    decided_at: datetime | None
    reason: str
    valid_from: date | None
    valid_to: date | None
    version: int


class RangesOut(BaseModel):
    """Ranges in the order they were asked for."""

    items: list[RangeOut]
    next_cursor: str
    has_more: bool


@blueprint.post("")
@permission("ranges:request")
@blueprint.input(RangeIn)
@blueprint.output(RangeOut, status_code=201)
@blueprint.doc(summary="Ask for a range of serials of one's own product", responses=[404, 409, 503])
def request_range(json_data: RangeIn) -> dict[str, Any]:
    """Nothing is issued of it before it is granted."""
    given = json_data
    wanted = RangeRequest(given.uscc, given.gtin, given.first, given.last, given.purpose, given.quota)
    owner = current_client().subject or None
    return range_json(operations.request_range(services(), _actor(), wanted, owner=owner))


@blueprint.get("")
@permission("ranges:read")
@blueprint.input(ListIn, location="query")
@blueprint.output(RangesOut)
@blueprint.doc(summary="Ranges: one's own, or all of them for the authority", responses=[503])
def list_ranges(query_data: ListIn) -> dict[str, Any]:
    """In the order they were asked for."""
    state = RangeState(query_data.state) if query_data.state else None
    found = operations.ranges_of(
        services(),
        current_client().subject or query_data.uscc,
        state,
        after=_place(query_data.cursor),
        limit=query_data.limit + 1,
    )
    page = found[: query_data.limit]
    return {
        "items": [range_json(row) for row in page],
        "next_cursor": _cursor(page[-1]) if page else query_data.cursor,
        "has_more": len(found) > len(page),
    }


@blueprint.post("/<range_id>/steps")
@permission("ranges:grant")
@blueprint.input(StepIn)
@blueprint.output(RangeOut)
@blueprint.doc(summary="Grant, refuse or revoke", responses=[404, 409, 503])
def take_step(range_id: str, json_data: StepIn) -> dict[str, Any]:
    """Whoever asked does not grant."""
    given, event = json_data, RangeEvent(json_data.event)
    if event is RangeEvent.GRANT:
        days = [_day(text, where) for text, where in ((given.valid_from, "valid_from"), (given.valid_to, "valid_to"))]
        grant = Grant(given.reason, given.version, days[0], days[1], given.quota)
        return range_json(operations.grant_range(services(), _actor(), range_id, grant))
    if given.quota is not None or given.valid_from or given.valid_to:
        raise InputError("quota and days go with a grant", where="event", remedy="leave them out")
    row = operations.end_range(
        services(), _actor(), range_id, event, reason=given.reason, version=given.version
    )  # fmt: skip
    return range_json(row)


def _actor() -> str:
    return f"client:{current_client().client_id}"


def _day(text: str | None, where: str) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{text!r} is no date", where=where, remedy="write 2026-11-24") from error


def _cursor(row: TagRange) -> str:
    return f"{to_microseconds(row.requested_at)}.{row.range_id}"


def _place(cursor: str) -> tuple[datetime, str] | None:
    if not cursor:
        return None
    found = _CURSOR.match(cursor)
    if found is None:
        raise InputError("this is no cursor of this server", where="cursor", remedy="use next_cursor as it was given")
    return EPOCH + timedelta(microseconds=int(found[1])), found[2]
