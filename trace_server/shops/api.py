"""JSON routes of online sellers: marks for the office and the public, reports and notices for platforms."""

from __future__ import annotations

from datetime import UTC
from typing import Any, Literal

from apiflask import APIBlueprint
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from trace_core.errors import NotAllowed, NotFound
from trace_server.accounts.access import current_client, permission, public
from trace_server.services import services
from trace_server.shops import operations, rules
from trace_server.shops.model import Listing, MarkEvent, Outcome, Sale
from trace_server.shops.operations import NewShop
from trace_server.shops.wire import notice_json, read_place, shop_json, shown_json, write_place

blueprint = APIBlueprint("shops", __name__, url_prefix="/api/v1", tag="Online sellers")

MAX_ROWS = operations.MAX_REPORT


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ShopIn(_Strict):
    """A seller; either `uscc` or `person_ref`, a reference to the identity that was verified."""

    name: str = Field(min_length=1, max_length=200)
    platform: str = Field(max_length=18, description="USCC of who runs the platform")
    platform_name: str = Field(min_length=1, max_length=200)
    url: str = Field(min_length=1, max_length=500, description="http or https only")
    uscc: str = Field(default="", max_length=18)
    person_ref: str = Field(default="", max_length=64)
    licence_no: str = Field(default="", max_length=64)


class StepIn(_Strict):
    """A step of a mark; `version` is the one that was read."""

    event: Literal["confirm", "suspend", "resume", "revoke"]
    version: int = Field(ge=1)
    reason: str = Field(min_length=1, max_length=1000)


class ShopsIn(_Strict):
    """Whose marks, and where to go on."""

    uscc: str = Field(default="", max_length=18)
    after: str = Field(default="", max_length=16, description="`mark` of the last one seen")
    limit: int = Field(default=50, ge=1, le=500)


class ListingIn(_Strict):
    """An offer of one batch. `ended_at` null: it can be bought now."""

    listing_no: str = Field(min_length=1, max_length=64, pattern=r"^[!-~]+$")
    mark: str = Field(default="", max_length=20)
    seller_uscc: str = Field(default="", max_length=18)
    gtin: str = Field(pattern=r"^[0-9]{8,14}$")
    lot: str = Field(min_length=1, max_length=20)
    url: str = Field(min_length=1, max_length=500)
    listed_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    as_of: AwareDatetime = Field(description="The moment that the report describes; older reports change nothing")


class ListingsIn(_Strict):
    """A platform's report."""

    listings: list[ListingIn] = Field(min_length=1, max_length=MAX_ROWS)


class SaleIn(_Strict):
    """So much of a batch sold. Nothing of the buyer."""

    sale_no: str = Field(min_length=1, max_length=64, pattern=r"^[!-~]+$")
    listing_no: str = Field(min_length=1, max_length=64, pattern=r"^[!-~]+$")
    gtin: str = Field(pattern=r"^[0-9]{8,14}$")
    lot: str = Field(min_length=1, max_length=20)
    quantity: str = Field(min_length=1, max_length=32)
    sold_at: AwareDatetime


class SalesIn(_Strict):
    """A platform's report."""

    sales: list[SaleIn] = Field(min_length=1, max_length=MAX_ROWS)


class AnswerIn(_Strict):
    """What the platform did. `removed_at`: default now."""

    outcome: Literal["removed", "disputed"]
    text: str = Field(min_length=1, max_length=2000)
    removed_at: AwareDatetime | None = None


class NoticesIn(_Strict):
    """Where to go on."""

    cursor: str = Field(default="", max_length=160, description="`next_cursor` of the answer before; empty: the start")
    limit: int = Field(default=50, ge=1, le=500)


class TakenOut(BaseModel):
    """Rows that said something new."""

    taken: int


class ShopOut(BaseModel):
    """A mark as the office sees it."""

    mark: str
    uscc: str
    person_ref: str
    name: str
    platform: str
    platform_name: str
    url: str
    licence_no: str
    state: str
    requested_at: str
    decided_at: str | None
    reason: str
    version: int


class ShopsOut(BaseModel):
    """Marks, and whether there are more behind the last."""

    items: list[ShopOut]
    has_more: bool


class ShownOut(BaseModel):
    """A mark as everybody sees it, at `as_of`."""

    mark: str
    standing: Literal["valid", "pending", "suspended", "revoked", "no-licence", "no-business"]
    name: str
    seller: str
    uscc: str
    is_person: bool
    platform_name: str
    url: str
    licence_no: str
    as_of: str


class NoticeOut(BaseModel):
    """A takedown notice and its answer."""

    notice_id: str
    platform: str
    listing_no: str
    gtin: str
    lot: str
    cause: str
    basis: str
    issued_at: str
    due_at: str
    state: str
    outcome: str
    answer: str
    answered_at: str | None
    keep_until: str


class NoticesOut(BaseModel):
    """Notices in the order they were issued."""

    items: list[NoticeOut]
    next_cursor: str
    has_more: bool


@blueprint.post("/shops")
@permission("shops:manage")
@blueprint.input(ShopIn)
@blueprint.output(ShopOut, status_code=201)
@blueprint.doc(summary="Ask for an identity mark of an online seller", responses=[503])
def register(json_data: ShopIn) -> dict[str, Any]:
    """A second person confirms it."""
    return shop_json(operations.register(services(), _actor(), NewShop(**json_data.model_dump())))


@blueprint.get("/shops")
@permission("shops:manage")
@blueprint.input(ShopsIn, location="query")
@blueprint.output(ShopsOut)
@blueprint.doc(summary="Identity marks", responses=[503])
def list_shops(query_data: ShopsIn) -> dict[str, Any]:
    """In the order of the marks."""
    given = query_data
    found = operations.list_shops(services().db, uscc=given.uscc, after=given.after, limit=given.limit + 1)
    return {"items": [shop_json(row) for row in found[: given.limit]], "has_more": len(found) > given.limit}


@blueprint.get("/shops/<mark>")
@public
@blueprint.output(ShownOut)
@blueprint.doc(summary="What a mark is worth now", responses=[404, 503])
def read_shop(mark: str) -> dict[str, Any]:
    """The same as on the page `/shop/<mark>`."""
    shown = operations.shown(services(), mark)
    if shown is None:
        raise NotFound("there is no such mark", where="mark")
    return shown_json(shown)


@blueprint.post("/shops/<mark>/steps")
@permission("shops:manage")
@blueprint.input(StepIn)
@blueprint.output(ShopOut)
@blueprint.doc(summary="Confirm, suspend, resume or revoke a mark", responses=[404, 409, 503])
def take_step(mark: str, json_data: StepIn) -> dict[str, Any]:
    """The page and the badge show it at once."""
    event, given = MarkEvent(json_data.event), json_data
    return shop_json(
        operations.take_step(services(), _actor(), mark, event, version=given.version, reason=given.reason)
    )


@blueprint.post("/platform/listings")
@permission("listings:report")
@blueprint.input(ListingsIn)
@blueprint.output(TakenOut, status_code=201)
@blueprint.doc(summary="Report listings by batch", responses=[503])
def report_listings(json_data: ListingsIn) -> dict[str, int]:
    """All rows or none; an older report of a listing changes nothing."""
    platform = _platform()
    rows = [_listing(platform, row, f"/listings/{number}") for number, row in enumerate(json_data.listings)]
    return {"taken": operations.report_listings(services(), _actor(), platform, rows)}


@blueprint.post("/platform/sales")
@permission("listings:report")
@blueprint.input(SalesIn)
@blueprint.output(TakenOut, status_code=201)
@blueprint.doc(summary="Report sales by batch", responses=[503])
def report_sales(json_data: SalesIn) -> dict[str, int]:
    """All rows or none; one that is known stays as it is."""
    platform = _platform()
    rows = [_sale(platform, row, f"/sales/{number}") for number, row in enumerate(json_data.sales)]
    return {"taken": operations.report_sales(services(), _actor(), platform, rows)}


@blueprint.get("/platform/takedowns")
@permission("listings:report")
@blueprint.input(NoticesIn, location="query")
@blueprint.output(NoticesOut)
@blueprint.doc(summary="Takedown notices to this platform", responses=[503])
def list_notices(query_data: NoticesIn) -> dict[str, Any]:
    """Oldest first."""
    return _notices(_platform(), query_data)


@blueprint.get("/takedowns")
@permission("shops:manage")
@blueprint.input(NoticesIn, location="query")
@blueprint.output(NoticesOut)
@blueprint.doc(summary="Takedown notices to every platform", responses=[503])
def all_notices(query_data: NoticesIn) -> dict[str, Any]:
    """Oldest first, with the answers."""
    return _notices("", query_data)


@blueprint.post("/platform/takedowns/<notice_id>/answer")
@permission("listings:report")
@blueprint.input(AnswerIn)
@blueprint.output(NoticeOut)
@blueprint.doc(summary="Say what was done about a notice", responses=[404, 409, 503])
def answer(notice_id: str, json_data: AnswerIn) -> dict[str, Any]:
    """`removed` ends the listing; a later answer replaces an earlier one."""
    given, outcome = json_data, Outcome(json_data.outcome)
    row = operations.answer(
        services(), _actor(), _platform(), notice_id, outcome, text=given.text, removed_at=given.removed_at
    )
    return notice_json(row)


def _notices(platform: str, given: NoticesIn) -> dict[str, Any]:
    found = operations.notices(services().db, platform, after=read_place(given.cursor), limit=given.limit + 1)
    page = found[: given.limit]
    return {
        "items": [notice_json(row) for row in page],
        "next_cursor": write_place(page[-1]) if page else given.cursor,
        "has_more": len(found) > len(page),
    }


def _listing(platform: str, row: ListingIn, where: str) -> Listing:
    gtin, lot = rules.goods(row.gtin, row.lot, where)
    return Listing(
        platform=platform,
        listing_no=row.listing_no,
        # What is no mark stays readable for a person: the rule of sellers' identity finds it.
        mark=rules.read_mark(row.mark) or row.mark.strip()[:16],
        seller_uscc=rules.code(row.seller_uscc, f"{where}/seller_uscc") if row.seller_uscc else "",
        gtin=gtin,
        lot=lot,
        url=rules.shop_url(row.url, f"{where}/url"),
        listed_at=row.listed_at.astimezone(UTC),
        ended_at=row.ended_at.astimezone(UTC) if row.ended_at else None,
        as_of=row.as_of.astimezone(UTC),
    )


def _sale(platform: str, row: SaleIn, where: str) -> Sale:
    gtin, lot = rules.goods(row.gtin, row.lot, where)
    quantity = rules.quantity(row.quantity, f"{where}/quantity")
    return Sale(platform, row.sale_no, row.listing_no, gtin, lot, quantity, row.sold_at.astimezone(UTC))


def _platform() -> str:
    """USCC that the client acts for. Raises `NotAllowed` for one that acts for nobody."""
    subject = current_client().subject
    if not subject:
        raise NotAllowed("the client acts for no platform", remedy="add it with --subject <USCC of the platform>")
    return subject


def _actor() -> str:
    return f"client:{current_client().client_id}"
