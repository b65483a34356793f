"""Routes of those who pull: receipts for changes, the proof of 停止共享, the daily comparison, who stands where."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from trace_server.accounts.access import current_client, permission
from trace_server.credit.regimes import shipped_policy
from trace_server.credit.wire import change_json
from trace_server.exchange import pulling
from trace_server.exchange.api._blueprint import blueprint
from trace_server.services import services


class ReceiptsIn(BaseModel):
    """Changes that were applied; for `repair`, `expire` and `withdraw` that means: the copy is no longer shared."""

    model_config = ConfigDict(extra="forbid", strict=True)

    seqs: list[int] = Field(min_length=1, max_length=500)
    statement: str = Field(default="", max_length=2000, description="In your words, e.g. who removed it and when")


class ReceiptsOut(BaseModel):
    """A receipt given twice counts once."""

    taken: int
    new: int


class ProofOut(BaseModel):
    """One receiver of a record."""

    receiver: str
    way: str
    told_at: datetime | None
    receipt: str
    received_at: datetime | None


class ProofsOut(BaseModel):
    """Everybody who had the record, and who has confirmed the change."""

    change: dict[str, Any]
    receivers: list[ProofOut]


class CompareIn(BaseModel):
    """What you hold as of the end of a day: how many records, and the digest over them."""

    day: date
    count: int = Field(ge=0, le=2**62)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    model_config = ConfigDict(extra="forbid")


class CompareOut(BaseModel):
    """Both sides."""

    day: str
    equal: bool
    ours_count: int
    ours_sha256: str
    theirs_count: int
    theirs_sha256: str


class PlaceOut(BaseModel):
    """One of your filters."""

    kinds: list[str]
    region: str
    category: str
    department: str
    given: int
    confirmed: int
    lag: int
    pulled_at: datetime


class PlacesOut(BaseModel):
    """Where you stand."""

    head: int
    items: list[PlaceOut]


@blueprint.post("/receipts")
@permission("credit:read")
@blueprint.input(ReceiptsIn)
@blueprint.output(ReceiptsOut)
@blueprint.doc(summary="Confirm that changes were applied", responses=[429, 503])
def post_receipts(json_data: ReceiptsIn) -> dict[str, Any]:
    """The first receipt for a change is kept, with its time."""
    outside = services()
    taken, new = pulling.take_receipts(
        outside.db, outside.clock(), current_client().client_id, json_data.seqs, json_data.statement
    )
    return {"taken": taken, "new": new}


@blueprint.get("/changes/<int:seq>/receipts")
@permission("credit:record")
@blueprint.output(ProofsOut)
@blueprint.doc(summary="Who had the record, and who confirmed the change", responses=[404, 429])
def change_receipts(seq: int) -> dict[str, Any]:
    """The proof of 停止共享 for a repaired, expired or withdrawn record."""
    change, found = pulling.proofs(services().db, min(seq, 2**62))
    return {
        "change": change_json(change, shipped_policy()),
        "receivers": [
            {
                "receiver": one.receiver,
                "way": one.way,
                "told_at": one.told_at,
                "receipt": one.receipt,
                "received_at": one.received_at,
            }
            for one in found
        ],
    }


@blueprint.post("/comparisons")
@permission("credit:read")
@blueprint.input(CompareIn)
@blueprint.output(CompareOut)
@blueprint.doc(summary="Compare a day with yours", responses=[429, 503])
def compare(json_data: CompareIn) -> dict[str, Any]:
    """A difference is a task at the credit office until somebody has settled it."""
    outside, given = services(), json_data
    client_id = current_client().client_id
    check = pulling.compare(outside.db, outside.clock(), client_id, given.day, given.count, given.sha256)
    return {
        "day": check.day.isoformat(),
        "equal": (check.ours_count, check.ours_sha256) == (check.theirs_count, check.theirs_sha256),
        "ours_count": check.ours_count,
        "ours_sha256": check.ours_sha256,
        "theirs_count": check.theirs_count,
        "theirs_sha256": check.theirs_sha256,
    }


@blueprint.get("/places")
@permission("credit:read")
@blueprint.output(PlacesOut)
@blueprint.doc(summary="How far you have pulled", responses=[429])
def places() -> dict[str, Any]:
    """`confirmed` is the change behind which you asked on."""
    head, found = pulling.places(services().db, current_client().client_id)
    return {
        "head": head,
        "items": [
            {
                "kinds": list(one.wanted.kinds),
                "region": one.wanted.region,
                "category": one.wanted.category,
                "department": one.wanted.department,
                "given": one.given,
                "confirmed": one.confirmed,
                "lag": head - one.given,
                "pulled_at": one.pulled_at,
            }
            for one in found
        ],
    }
